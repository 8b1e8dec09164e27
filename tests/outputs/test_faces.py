"""The shipped face draws the names of China's units, rare characters too."""

from pathlib import Path

from sy_coverage.outputs.figures.canvas import _shipped_characters

ROOT = Path(__file__).resolve().parents[2]


def test_the_shipped_face_draws_rare_names_of_units():
    names = "栟茶镇甪直镇郪江镇岞山街道洈水镇浬浦镇圐圙洑鄠邑区筲箕酂城镇涢水漖口嵖岈山㮾梨镇㵲水"
    assert set(names) - _shipped_characters() == set()


def test_the_shipped_face_draws_every_character_that_the_names_of_all_units_need():
    needed = set((ROOT / "scripts" / "font_characters.txt").read_text(encoding="utf-8")) - {"\n"}
    # one character of one village is in no Noto face
    assert needed - _shipped_characters() <= {"𣒍"}
