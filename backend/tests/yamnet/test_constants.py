from understudy.yamnet.class_map import read_class_names
from understudy.yamnet.constants import CLASS_COUNT, EMBEDDING_SIZE, HOP_SECONDS, PATCH_SHAPE, WINDOW_SECONDS


def test_the_derived_numbers_are_those_of_google() -> None:
    assert (WINDOW_SECONDS, HOP_SECONDS, PATCH_SHAPE, EMBEDDING_SIZE) == (0.96, 0.48, (96, 64), 1024)


def test_every_class_has_a_name_of_its_own() -> None:
    names = read_class_names()
    assert len(set(names)) == len(names) == CLASS_COUNT
    assert (names[0], names[-1]) == ("Speech", "Field recording")
