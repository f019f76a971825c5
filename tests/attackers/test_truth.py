"""Every attacker is held to something that this project did not write: a library, a definition, a product.

A clusterer stands beside an independent implementation where there is one, and beside its definition, written
down anew, where there is none. A preset has the numbers that its product published, and planted cases.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bench import registry

HERE = Path(__file__).parent
PUBLISHED = "test_presets.test_an_encoder_gets_the_numbers_of_its_family"
SHIPPED = "test_presets.test_the_parameters_are_those_that_the_products_are_shipped_with"
TRUTH: dict[str, tuple[str, ...]] = {
    "agglomerative": ("test_agglomerative.test_the_partition_is_scikit_learns",),
    "centroid": ("test_centroid.test_it_names_whom_scikit_learn_names",),
    "chinese-whispers": ("test_chinese_whispers.test_visiting_in_the_same_order_it_finds_the_same",),
    "components": ("test_components.test_the_partition_is_networkxs",),
    "dbscan": ("test_dbscan.test_the_partition_is_scikit_learns_border_photos_too",),
    "deepface": (PUBLISHED, "test_presets.test_deepface_names_whom_it_accepts_and_nobody_else"),
    "dlib-whispers": (PUBLISHED, "test_second_steps.test_people_are_those_of_dlibs_own_clustering"),
    "ente": (
        SHIPPED,
        "test_incremental.test_linear_clustering_follows_a_chain_of_faces_each_near_the_one_before_alone",
    ),
    "face-recognition": (
        PUBLISHED,
        "test_presets.test_dlibs_tolerance_is_measured_on_embeddings_of_dlibs_length",
    ),
    "facerecognition": (
        PUBLISHED,
        SHIPPED,
        "test_second_steps.test_four_photos_are_nobody_to_face_recognition_and_somebody_to_dlib",
    ),
    "growing": ("test_growing.test_without_additions_it_is_the_nearest_photo",),
    "hdbscan": ("test_hdbscan.test_the_partition_is_scikit_learns",),
    "immich": (
        PUBLISHED,
        SHIPPED,
        "test_incremental.test_asking_for_three_neighbours_and_once_for_a_person_is_asking_for_all",
    ),
    "immich-guided": (
        PUBLISHED,
        SHIPPED,
        "test_incremental.test_the_guide_makes_people_of_dense_groups_before_a_bridge_can_join_them",
    ),
    "infomap": ("test_infomap.test_no_move_of_a_photo_shortens_the_description",),
    "k-reciprocal": ("test_k_reciprocal.test_the_distance_is_the_papers",),
    "kmeans": ("test_oracle_clusterers.test_k_means_is_scikit_learns",),
    "knn": ("test_knn.test_the_ranking_is_the_definitions",),
    "leiden": ("test_leiden.test_its_modularity_is_as_good_as_louvains",),
    "librephotos": (
        PUBLISHED,
        SHIPPED,
        "test_second_steps.test_clusters_that_split_below_the_selection_epsilon_are_taken_together",
        "test_second_steps.test_the_network_is_made_as_the_product_makes_it",
    ),
    "logistic": ("test_logistic.test_it_is_scikit_learns_optimum",),
    "louvain": ("test_louvain.test_the_communities_are_networkxs",),
    "mlp": ("test_mlp.test_it_names_as_many_as_scikit_learns",),
    "pairwise": (
        "test_pairwise.test_the_weights_are_those_of_scikit_learn",
        "test_pairwise.test_linkage_is_scipys_with_absent_pairs_at_distance_one",
    ),
    "photoprism": (
        PUBLISHED,
        SHIPPED,
        "test_photoprism.test_before_splitting_and_matching_it_is_scikit_learns_dbscan_over_euclidean_distance",
    ),
    "pictopy": (SHIPPED, "test_second_steps.test_people_are_found_in_three_steps"),
    "plscan": ("test_plscan.test_the_clusters_are_the_leaves_that_persist_the_most",),
    "rank-order": ("test_rank_order.test_the_distance_is_that_of_the_paper",),
    "recognize": (
        PUBLISHED,
        "test_recognize.test_it_is_the_products_procedure_on_trees_without_equal_edges",
    ),
    "spectral": ("test_oracle_clusterers.test_spectral_clustering_is_scikit_learns_on_the_same_graph",),
    "svm": ("test_svm.test_linear_is_liblinears_optimum",),
}
"""Attacker -> the tests that hold it to something independent."""


def test_every_attacker_has_one() -> None:
    assert set(TRUTH) == set(registry.names("attackers"))


@pytest.mark.parametrize("name", TRUTH)
def test_it_is_there_and_a_preset_has_its_products_numbers(name: str) -> None:
    for test in TRUTH[name]:
        file, _, function = test.partition(".")
        tree = ast.parse((HERE / f"{file}.py").read_text("utf-8"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    preset = registry.load("attackers", name).card.source.startswith("preset of ")
    assert preset == bool({PUBLISHED, SHIPPED} & set(TRUTH[name]))
