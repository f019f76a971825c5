"""facenet-pytorch's MTCNN (Zhang et al. 2016, arXiv 1604.02878), with its weights and thresholds."""

from __future__ import annotations

from bench.faces.detector_model import DetectorModel, FaceSearch
from bench.faces.detectors.mtcnn.card import DIGESTS, FACTOR, THRESHOLDS
from bench.parameters import Plain
from bench.types import Folders


class Mtcnn(DetectorModel):
    """Three networks, one after another. The weights are in a package that cloakbench requires."""

    name = "mtcnn"
    about = "MTCNN, three networks; its weights come with facenet-pytorch"

    def constants(self) -> dict[str, Plain]:
        """See `DetectorModel.constants`."""
        return {"weights": dict(DIGESTS), "thresholds": list(THRESHOLDS), "factor": FACTOR}

    def load(self, folders: Folders, device: str) -> FaceSearch:
        """See `DetectorModel.load`."""
        del folders
        from bench.faces.detectors.mtcnn.cascade import Cascade

        return Cascade(device)


DETECTOR = Mtcnn()
