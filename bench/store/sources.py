"""What `bench fetch` can fetch: names, addresses, digests and licences. This module holds facts only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One file to get.

    Attributes:
        file: The file's name at its publisher.
        place: The path below `BENCH_HOME` of the file, or of the folder that the archive becomes.
        urls: The addresses, in the order in which they are tried; empty where the file can only be brought by
            hand.
        sha256: The digest, where it is known in advance; empty means pinned at first use.
        md5: The publisher's MD5, where it states nothing better. It is checked beside the pinned sha256.
        size: The size in bytes; None where it is not known.
        archive: Whether the file is unpacked into `place`.
    """

    file: str
    place: str
    urls: tuple[str, ...] = ()
    sha256: str = ""
    md5: str = ""
    size: int | None = None
    archive: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that one name on the command line fetches.

    Attributes:
        about: One line about it.
        items: Its files, the main one first.
        licence: What its publisher allows.
        citation: The way to cite it.
    """

    about: str
    items: tuple[Item, ...]
    licence: str
    citation: str

    @property
    def size(self) -> int | None:
        """The bytes of the files whose size is known; None where the main file's size is not."""
        return sum(item.size or 0 for item in self.items) if self.items[0].size else None


_LFW = "data/lfw_home"
"""The layout of scikit-learn's download, so that `fetch_lfw_people(data_home=…)` finds it too."""

_LFW_LICENCE = "published for research, no licence stated; the photos remain their owners'"
_LFW_CITATION = "Huang, Ramesh, Berg, Learned-Miller: Labeled Faces in the Wild, UMass Amherst TR 07-49, 2007"


def _figshare(number: int, file: str) -> tuple[str, ...]:
    # numbers and digests as in sklearn/datasets/_lfw.py; last, the host that first published LFW
    return (
        f"https://ndownloader.figshare.com/files/{number}",
        f"https://figshare.com/ndownloader/files/{number}",
        f"http://vis-www.cs.umass.edu/lfw/{file}",
    )


def _pairs(file: str, number: int, sha256: str, size: int | None = None) -> Item:
    return Item(file, f"{_LFW}/{file}", _figshare(number, file), sha256, size=size)


_PAIRS = (
    _pairs("pairs.txt", 5976006, "ea42330c62c92989f9d7c03237ed5d591365e89b3e649747777b70e692dc1592", 155_335),
    _pairs("pairsDevTrain.txt", 5976012, "1d454dada7dfeca0e7eab6f65dc4e97a6312d44cf142207be28d688be92aabfa"),
    _pairs("pairsDevTest.txt", 5976009, "7cb06600ea8b2814ac26e946201cdb304296262aad67d046a16a7ec85d0ff87c"),
)


def _lfw(about: str, archive: Item, citation: str = "") -> Source:
    cited = f"{_LFW_CITATION}; {citation}" if citation else _LFW_CITATION
    return Source(f"LFW, {about}, and its pairs", (archive, *_PAIRS), _LFW_LICENCE, cited)


_FACENET = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9"
_FACENET_LICENCE = "repository under MIT; none stated for the weights"
_FACENET_CITATION = "Schroff, Kalenichenko, Philbin: FaceNet, CVPR 2015"


def _facenet(trained_on: str, file: str, citation: str, sha256: str = "", size: int | None = None) -> Source:
    return Source(
        f"weights of InceptionResnetV1 trained on {trained_on} (facenet-pytorch)",
        (Item(file, f"weights/{file}", (f"{_FACENET}/{file}",), sha256, size=size),),
        _FACENET_LICENCE,
        f"{_FACENET_CITATION}; {citation}",
    )


_YUNET = "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/0047ac24afb1a50a0c6105001c89d1b5b805dbf1"
_ZOO = "https://github.com/deepinsight/insightface/releases/download"


def _pack(name: str, about: str, sha256: str, size: int) -> Source:
    # two releases of the same files: the one that insightface 2 downloads from, and its old one; digests as
    # recorded by several projects that fetch from one or the other, independently
    urls = tuple(f"{_ZOO}/{release}/{name}.zip" for release in ("model-zoo", "v0.7"))
    return Source(
        f"insightface's pack {name}: {about}",
        (Item(f"{name}.zip", f"weights/{name}", urls, sha256, size=size, archive=True),),
        "non-commercial research only",
        "Deng, Guo, Xue, Zafeiriou: ArcFace, CVPR 2019",
    )


SOURCES: dict[str, Source] = {
    "lfw": _lfw(
        "funneled",
        Item(
            "lfw-funneled.tgz",
            f"{_LFW}/lfw_funneled",
            _figshare(5976015, "lfw-funneled.tgz"),
            "b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a",
            size=243_346_528,
            archive=True,
        ),
        "Huang, Jain, Learned-Miller: Unsupervised Joint Alignment of Complex Images, ICCV 2007",
    ),
    "lfw-deepfunneled": _lfw(
        "deep-funneled",
        Item(
            "lfw-deepfunneled.tgz",
            f"{_LFW}/lfw-deepfunneled",
            ("http://vis-www.cs.umass.edu/lfw/lfw-deepfunneled.tgz",),
            md5="68331da3eb755a505a502b5aacb3c201",  # as published beside the file
            archive=True,
        ),
        "Huang, Mattar, Lee, Learned-Miller: Learning to Align from Scratch, NIPS 2012",
    ),
    "lfw-original": _lfw(
        "as detected, not aligned",
        Item(
            "lfw.tgz",
            f"{_LFW}/lfw",
            _figshare(5976018, "lfw.tgz"),
            "055f7d9c632d7370e6fb4afc7468d40f970c34a80d4c6f50ffec63f5a8d536c0",
            size=180_566_744,
            archive=True,
        ),
    ),
    "lfw-pairs": Source("the pairs of LFW's verification protocol", _PAIRS, _LFW_LICENCE, _LFW_CITATION),
    "facenet-vggface2": _facenet(
        "VGGFace2",
        "20180402-114759-vggface2.pt",
        "Cao, Shen, Xie, Parkhi, Zisserman: VGGFace2, FG 2018",
        # the publisher states none; as recorded by several projects that use the file, independently
        "281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
        111_898_327,
    ),
    "facenet-casia": _facenet(
        "CASIA-WebFace",
        "20180408-102900-casia-webface.pt",
        "Yi, Lei, Liao, Li: Learning Face Representation from Scratch, arXiv:1411.7923, 2014",
    ),
    "buffalo_l": _pack(
        "buffalo_l",
        "ResNet50 trained on WebFace600K",
        "80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f",
        288_621_354,
    ),
    "buffalo_s": _pack(
        "buffalo_s",
        "MobileFaceNet trained on WebFace600K",
        "d85a87f503f691807cd8bb97128bdf7a0660326cd9cd02657127fa978bab8b5e",
        127_607_557,
    ),
    "yunet": Source(
        "the detector YuNet",
        (
            Item(
                "yunet_n_dynamic.onnx",
                "weights/yunet_n_dynamic.onnx",
                (f"{_YUNET}/onnx/yunet_n_dynamic.onnx",),
                "104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12",
                size=322_906,
            ),
        ),
        "that of its repository, in the style of Apache 2.0",
        "Wu, Peng, Yu: YuNet, Machine Intelligence Research 20, 2023",
    ),
    "antelopev2": _pack(
        "antelopev2",
        "ResNet100 trained on Glint360K",
        "8e182f14fc6e80b3bfa375b33eb6cff7ee05d8ef7633e738d1c89021dcf0c5c5",
        360_662_982,
    ),
}
"""Every source by its name on the command line."""
