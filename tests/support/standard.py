"""A gateway whose answers at the endpoints of standards are held against docs/openapi.yaml as they come."""
import json

from support.description import Description, yaml
from support.gateway import Gateway, eventually


class Described(Gateway):
    def __init__(self, **more):
        super().__init__(**more)
        self.description = Description() if yaml else None

    def call(self, method, path, *rest, **more):
        answer = super().call(method, path, *rest, **more)
        key = self.description.find(method, path) if self.description else None
        if key and "x-standard" in self.description.operations[key]:
            faults = self.description.answer_faults(key, answer)
            assert not faults, f"{method} {path} {answer}: {faults}"
        return answer

    def entries(self, kind, count):
        """The entries of this type, once there are that many: a checkpoint covers the newest a moment later."""
        def read():
            lines = self.call("GET", "/v1/ledger/export", host=True).body.splitlines()
            found = [line["entry"] for line in map(json.loads, lines) if line.get("entry", {}).get("type") == kind]
            return found if len(found) >= count else None
        found = eventually(read, f"{count} entries {kind}") if count else []
        assert len(found) == count, found
        return found
