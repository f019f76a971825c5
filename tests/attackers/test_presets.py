"""Presets of deployed products: their published numbers, and planted cases whose answer is known by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bench.attackers._presets.families import DLIB_LENGTH, FAMILIES, family_of
from planted import on_a_circle

from bench import encoders, registry
from bench.errors import UserError
from bench.metrics.clustering import bcubed_objective
from bench.types import ARCFACE_CROP, EncoderCard, Gallery

PRESETS = (
    "immich", "immich-guided", "photoprism", "recognize", "facerecognition", "librephotos", "ente", "pictopy",
    "dlib-whispers", "deepface", "face-recognition",
)  # fmt: skip


def preset(name: str, **parameters: Any) -> Any:
    return registry.load("attackers", name)(**parameters)


def card(architecture: str, training_set: str = "", name: str = "some") -> EncoderCard:
    return EncoderCard(name, architecture, training_set, ARCFACE_CROP, 128, 1, "", "", "", "")


def degrees(euclid: float) -> float:
    """The angle between two unit vectors at a Euclidean distance."""
    return float(np.degrees(2 * np.arcsin(euclid / 2)))


# --- published numbers

PUBLISHED: dict[str, dict[str, Any]] = {
    # server/src/config.ts: maxDistance, minFaces
    "immich": {"max_distance": 0.5, "min_faces": 3},
    # docs/guides/better-facial-clusters.md, libraries of 100,000 assets and more
    "immich-guided": {"max_distance": 0.4, "first": 20, "second": 10, "last": 3},
    # internal/ai/face/config.go and cluster_split.go of PhotoPrism 260919
    "photoprism": {"core": 5, "rounds": 6, "shrink": 0.95, "percentile": 95, "margin": 0.01},
    # face_clustering_service.dart of 2026-07-01: kRecommendedDistanceThreshold
    "ente": {"max_distance": 0.24},
    # settings.py and face_clusters.py of 2026-08-08
    "pictopy": {"eps": 0.35, "min_samples": 2, "percentile": 90, "merge": 0.7, "accept": 0.8},
    # SettingsService.php of 2026-08-04: sensitivity, minimum of faces in a cluster; 100 n visits
    "facerecognition": {"least": 5, "passes": 100},
    # api/face_classify.py of 2024-10-24: the user's confidence in unknown faces
    "librephotos": {"accept": 0.5},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_parameters_are_those_that_the_products_are_shipped_with(name: str) -> None:
    attacker = preset(name)
    assert {field: getattr(attacker, field) for field in PUBLISHED[name]} == PUBLISHED[name]


@pytest.mark.parametrize(
    ("name", "family", "numbers"),
    [
        # internal/ai/face/models.go of PhotoPrism 260919: ClusterDist, ClusterRadius, MatchDist
        ("photoprism", "sface", {"link": 0.78, "radius": 0.60, "match": 0.35}),
        ("photoprism", "facenet512", {"link": 0.64, "radius": 0.42, "match": 0.40}),
        ("photoprism", "auraface", {"link": 0.98, "radius": 0.76, "match": 0.35}),
        ("photoprism", "w600k_r50", {"link": 1.07, "radius": 0.67, "match": 0.55}),
        ("photoprism", "w600k_mbf", {"link": 1.03, "radius": 0.64, "match": 0.49}),
        # server/src/config.ts; the packs of machine-learning/immich_ml/models/constants.py
        ("immich", "w600k_r50", {"max_distance": 0.5}),
        ("immich", "w600k_mbf", {"max_distance": 0.5}),
        ("immich", "glint360k_r100", {"max_distance": 0.5}),
        ("immich-guided", "w600k_r50", {"max_distance": 0.4}),
        # lib/Service/FaceClusterAnalyzer.php of 2026-08-22, 128 and 512 dimensions
        ("recognize", "dlib", {"edge": 0.5, "separation": 0.35}),
        ("recognize", "w600k_r50", {"edge": 1.0, "separation": 0.7, "length": 1.0}),
        # SettingsService.php of 2026-08-04; python_examples/face_clustering.py; models/user.py of 2024-10-24
        ("facerecognition", "dlib", {"distance": 0.4}),
        ("dlib-whispers", "dlib", {"distance": 0.5}),
        ("librephotos", "dlib", {"epsilon": 0.05}),
        # face_recognition/api.py: tolerance
        ("face-recognition", "dlib", {"distance": 0.6}),
        # deepface/config/threshold.py of 2026-06-29, cosine
        ("deepface", "vggface", {"distance": 0.68}),
        ("deepface", "facenet128", {"distance": 0.40}),
        ("deepface", "facenet512", {"distance": 0.30}),
        ("deepface", "arcface_r34", {"distance": 0.68}),
        ("deepface", "sface", {"distance": 0.593}),
        ("deepface", "ghostfacenet", {"distance": 0.65}),
        ("deepface", "dlib", {"distance": 0.07}),
        ("deepface", "w600k_r50", {"distance": 0.55}),
    ],
)
def test_an_encoder_gets_the_numbers_of_its_family(name: str, family: str, numbers: dict[str, float]) -> None:
    stated = FAMILIES[family]
    attacker = preset(name).behind(card(stated.architecture, stated.training_set))
    assert {field: getattr(attacker, field) for field in numbers} == numbers
    assert attacker.foreign(card(stated.architecture, stated.training_set)) == ""


def test_link_distances_are_the_cosine_distances_that_they_are_said_to_be() -> None:
    links = {family: numbers["link"] for family, numbers in preset("photoprism").numbers.items()}
    cosine = {family: round(link**2 / 2, 3) for family, link in links.items()}
    assert cosine == {
        "sface": 0.304, "facenet512": 0.205, "auraface": 0.480, "w600k_r50": 0.572, "w600k_mbf": 0.530,
    }  # fmt: skip


# --- whose thresholds they are


def test_families_follow_from_cards_of_encoders_that_the_project_has() -> None:
    found = {name: family_of(encoders.lookup(name)[1]) for name in encoders.names()}
    assert {name: family for name, family in found.items() if family} == {
        "buffalo_l": "w600k_r50",
        "buffalo_s": "w600k_mbf",
        "antelopev2": "glint360k_r100",
        "facenet-vggface2": "facenet512",
        "dlib": "dlib",
    }
    assert found["insightface_mobilefacenet_y1"] == found["facenet-casia"] == found["synth-ir"] == ""


@pytest.mark.parametrize("name", PRESETS)
def test_another_encoder_gets_default_numbers_and_a_flag(name: str) -> None:
    strange = card("MobileFaceNet", "MS1M (refined)", "mobilefacenet_y1")
    attacker = preset(name).behind(strange)
    first = next(iter(attacker.numbers))
    assert {field: getattr(attacker, field) for field in attacker.numbers[first]} == attacker.numbers[first]
    assert attacker.foreign(strange) == f"thresholds of {FAMILIES[first].title} used with mobilefacenet_y1"


@pytest.mark.parametrize("name", PRESETS)
def test_numbers_that_were_given_stay_and_are_nobodys_fault(name: str) -> None:
    strange = card("MobileFaceNet", "MS1M (refined)")
    numbers = next(iter(preset(name).numbers.values()))
    given = {field: number * 0.9 for field, number in numbers.items()}
    attacker = preset(name, **given).behind(strange)
    assert {field: getattr(attacker, field) for field in given} == given
    assert attacker.foreign(strange) == ""
    one = {next(iter(given)): next(iter(given.values()))}
    assert bool(preset(name, **one).behind(strange).foreign(strange)) == (len(given) > 1)


@pytest.mark.parametrize("name", PRESETS)
def test_nothing_is_tuned(name: str) -> None:
    rng = np.random.default_rng(3)
    rows, owners = rng.normal(size=(40, 16)).astype(np.float32), np.arange(40) % 8
    attacker = preset(name)
    more = (bcubed_objective,) if hasattr(attacker, "cluster") else ()
    assert attacker.calibrated(rows, owners, *more) is attacker


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_which_product_of_which_version_it_is(name: str) -> None:
    source = preset(name).card.source
    assert source.startswith("preset of ") and any(letter.isdigit() for letter in source)
    assert any(ending in source for ending in (".ts", ".md", ".go", ".php", ".py", ".dart"))


@pytest.mark.parametrize(
    ("name", "wrong", "line"),
    [
        ("immich-guided", {"first": 5}, "must not increase"),
        ("photoprism", {"shrink": 1.0}, "shrink 1 must be between 0 and 1"),
        ("photoprism", {"link": 3.0}, "link 3.0 is not"),
        ("recognize", {"edge": 0.5, "separation": 0.6}, "separation 0.6 must be from 0 to edge 0.5"),
        ("recognize", {"length": 0.0}, "length 0 above 0"),
        ("librephotos", {"accept": 1.0}, "accept 1 from 0 to below 1"),
        ("pictopy", {"merge": 1.5}, "merge 1.5"),
        ("facerecognition", {"distance": 3.0}, "distance 3 must be above 0"),
        ("dlib-whispers", {"least": 0}, "least 0 is below 1"),
        ("deepface", {"distance": 0.0}, "distance 0 must be above 0"),
        ("ente", {"max_distance": 0.0}, "max_distance 0.0 is not"),
    ],
)
def test_numbers_out_of_range_are_the_users_mistake(name: str, wrong: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=f"^{name}: .*{line}") as error:
        preset(name, **wrong).check()
    assert "\n" not in str(error.value)


# --- identifiers


def test_deepface_names_whom_it_accepts_and_nobody_else() -> None:
    gallery = Gallery(on_a_circle(0, 60, 180), np.array([4, 7, 9]))
    attacker = preset("deepface", distance=0.51)  # 60.7 degrees
    probes = on_a_circle(-1, 29, 290, 118)
    assert attacker.rank(probes, gallery, 2).tolist() == [[4, -1], [4, 7], [-1, -1], [7, -1]]


def test_dlibs_tolerance_is_measured_on_embeddings_of_dlibs_length() -> None:
    # .6 between vectors of length 1.42 is .4225 between unit vectors, 24.4 degrees
    gallery = Gallery(on_a_circle(0), np.array([3]))
    ranked = preset("face-recognition").rank(on_a_circle(24.3, 24.5), gallery, 1)
    assert ranked.tolist() == [[3], [-1]]
    assert degrees(0.6 / DLIB_LENGTH) == pytest.approx(24.39, abs=0.01)


def test_a_copy_behind_an_encoder_is_another_attacker_and_the_original_stays() -> None:
    attacker = preset("photoprism")
    behind = attacker.behind(card("IResNet-50", "WebFace600K"))
    assert (attacker.link, behind.link) == (None, 1.07)
    assert replace(behind, link=None, radius=None, match=None) == attacker
