"""A gateway whose answers at the endpoints of standards are held against docs/openapi.yaml as they come."""
import json

from support.description import Description, yaml
from support.gateway import Gateway


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

    def entries(self):
        lines = self.call("GET", "/v1/ledger/export", host=True).body.splitlines()
        return [line["entry"] for line in map(json.loads, lines) if "entry" in line]
