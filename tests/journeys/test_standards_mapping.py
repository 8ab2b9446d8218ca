"""docs/standards-mapping.md names tests: each exists."""
import re
import unittest

from support.gateway import ROOT


class Mapping(unittest.TestCase):
    def test_every_test_that_is_named_exists(self):
        named = re.findall(r"`(test_\w+\.(?:py|c))::(\w+)`", (ROOT / "docs" / "standards-mapping.md").read_text())
        self.assertGreater(len(named), 50)
        files = {}
        for path in (ROOT / "tests").rglob("test_*"):
            if path.suffix in (".py", ".c"):
                files[path.name] = files.get(path.name, "") + path.read_text()
        missing = [f"{file}::{name}" for file, name in named
                   if not re.search(rf"(def {name}\(|START_TEST\({name}\))", files.get(file, ""))]
        self.assertEqual([], missing)

    def test_every_mention_of_a_test_is_one_that_is_looked_for(self):
        text = (ROOT / "docs" / "standards-mapping.md").read_text()
        mentions = [one for one in re.findall(r"`([^`]*test_[^`]*)`", text) if not one.startswith("tests/")]
        self.assertEqual([], [one for one in mentions if not re.fullmatch(r"test_\w+\.(py|c)::\w+", one)])


if __name__ == "__main__":
    unittest.main()
