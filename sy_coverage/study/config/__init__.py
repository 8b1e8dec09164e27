"""Read what was asked: the study file, section by section."""
