"""docs/openapi.yaml, read: which operations there are, and whether an answer is one that is described.

The JSON Schema part knows what the description uses and refuses every other keyword, so that none is ignored.
"""
import json
import pathlib
import re

try:
    import yaml
except ImportError:  # Debian: python3-yaml
    yaml = None

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PATH = ROOT / "docs" / "openapi.yaml"
METHODS = ("get", "put", "post", "delete", "patch")

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int,
         "number": (int, float)}
NOTES = {"description", "title", "default", "example", "examples", "format"}  # say something, check nothing
CHECKED = {"$ref", "type", "enum", "const", "pattern", "minLength", "maxLength", "minimum", "maximum", "items", "minItems",
           "maxItems", "required", "properties", "additionalProperties", "oneOf", "anyOf"}


def read_routes(folder=ROOT / "gateway" / "api"):
    """{(method, path with {} for each parameter)} of the server's tables, one file each; routes.c lists them."""
    tables = {file.stem.removeprefix("routes_"): file.read_text() for file in folder.glob("routes_*.c")}
    listed = re.findall(r"&api_(\w+)_area", (folder / "routes.c").read_text())
    assert sorted(listed) == sorted(tables), "every table is listed once"
    found = [route for text in tables.values() for route in re.findall(r"\.method = HTTP_(\w+),\s*\.pattern = \"([^\"]+)\"", text)]
    assert len(found) == sum(text.count(".pattern =") for text in tables.values()), "every route has its method right before its pattern"
    assert len(found) == len(set(found)), "no route is there twice"
    return {(method.lower(), pattern) for method, pattern in found}


def is_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[name])


class Description:
    def __init__(self, path=PATH):
        class Loader(yaml.SafeLoader):
            """As JSON sees it: a time is a text, and a name given twice is an error."""

        def mapping(loader, node):
            names = [loader.construct_object(key) for key, _ in node.value]
            assert len(names) == len(set(names)), f"{node.start_mark}: a name is given twice"
            return {loader.construct_object(key): loader.construct_object(value, deep=True) for key, value in node.value}

        Loader.yaml_implicit_resolvers = {first: [r for r in resolvers if r[0] != "tag:yaml.org,2002:timestamp"]
                                          for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
        Loader.add_constructor("tag:yaml.org,2002:map", mapping)
        self.text = path.read_text()
        self.document = yaml.load(self.text, Loader)
        self.operations = {(method, template): operation for template, item in self.document["paths"].items()
                           for method, operation in item.items() if method in METHODS}

    # ---- finding ----
    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            place = node["$ref"]
            assert place.startswith("#/"), place
            node = self.document
            for step in place[2:].split("/"):
                node = node[step.replace("~1", "/").replace("~0", "~")]
        return node

    def routes(self):
        return {(method, re.sub(r"\{[^}]*\}", "{}", template)) for method, template in self.operations}

    def find(self, method, target):
        """The key of the operation that this request is, None when it is none."""
        path = target.split("?", 1)[0]
        method = "get" if method.upper() == "HEAD" else method.lower()
        fits = [template for template in self.document["paths"]
                if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path) and (method, template) in self.operations]
        # A fixed segment is meant before a parameter, as OpenAPI says.
        return (method, min(fits, key=lambda template: template.count("{"))) if fits else None

    def parameters(self, key):
        method, template = key
        both = self.document["paths"][template].get("parameters", []) + self.operations[key].get("parameters", [])
        return [self.resolve(parameter) for parameter in both]

    def response(self, key, status):
        responses = self.operations[key]["responses"]
        named = responses.get(str(status), responses.get("default"))
        return self.resolve(named)

    def codes(self, key, status):
        """The problem codes an operation may answer with this status."""
        response = self.response(key, status)
        return set(self.operations[key].get("x-codes", {}).get(str(status), [])) | set(response.get("x-codes", []))

    def body_schema(self, key):
        body = self.operations[key].get("requestBody")
        return body and body["content"]["application/json"]["schema"]

    def request_examples(self, key):
        body = self.operations[key].get("requestBody") or {}
        examples = body.get("content", {}).get("application/json", {}).get("examples", {})
        return {name: self.resolve(example)["value"] for name, example in examples.items()}

    def example_path(self, key):
        """The path with the examples of its parameters."""
        path = key[1]
        for parameter in self.parameters(key):
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", parameter["example"])
        return path

    # ---- checking ----
    def faults(self, value, schema, at=""):
        """What of `value` is not as `schema` says, as lines; empty when all is."""
        if "$ref" in schema:
            assert set(schema) <= {"$ref", "description"}, schema
            return self.faults(value, self.resolve(schema), at)
        unknown = set(schema) - CHECKED - NOTES
        assert not unknown, f"this validator does not know {unknown}"
        found = []
        say = lambda text: found.append(f"{at or '/'}: {text}")
        if "type" in schema:
            names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            if not any(is_type(value, name) for name in names):
                say(f"{json.dumps(value)[:80]} is no {' or '.join(names)}")
                return found
        if "enum" in schema and value not in schema["enum"]:
            say(f"{value!r} is none of {schema['enum']}")
        if "const" in schema and (value != schema["const"] or type(value) is not type(schema["const"])):
            say(f"{value!r} is not {schema['const']!r}")
        for word in ("oneOf", "anyOf"):
            if word in schema:
                tried = [self.faults(value, choice, at) for choice in schema[word]]
                fitting = sum(not faults for faults in tried)
                if fitting == 0 or (word == "oneOf" and fitting > 1):
                    say(f"{fitting} of {word} fit: {tried}")
        if isinstance(value, str):
            if "pattern" in schema and not re.search(schema["pattern"], value):
                say(f"{value[:80]!r} does not match {schema['pattern']}")
            if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
                say(f"{len(value)} characters are too few or too many")
        if is_type(value, "number"):
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                say(f"{value} is too small or too great")
        if isinstance(value, list):
            if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
                say(f"{len(value)} items are too few or too many")
            for index, item in enumerate(value if "items" in schema else []):
                found += self.faults(item, schema["items"], f"{at}/{index}")
        if isinstance(value, dict):
            found += self.object_faults(value, schema, at)
        return found

    def object_faults(self, value, schema, at):
        properties = schema.get("properties", {})
        found = [f"{at or '/'}: `{name}` is missing" for name in schema.get("required", []) if name not in value]
        for name, member in value.items():
            if name in properties:
                found += self.faults(member, properties[name], f"{at}/{name}")
            elif schema.get("additionalProperties", True) is False:
                found.append(f"{at}/{name}: is not described")
        return found

    def answer_faults(self, key, answer, is_head=False):
        """What of an answer is not as described: status, headers, media type, body, problem code."""
        status = answer.status
        if "problem" in answer.headers.get("Content-Type", "") and b'"about:blank"' in answer.body:
            status = "default"  # refused before the path was looked at
        response = self.response(key, status)
        found = []
        for name, header in response.get("headers", {}).items():
            header, value = self.resolve(header), answer.headers.get(name)
            if value is None:
                found += [f"the header {name} is missing"] if header.get("required") else []
            else:
                found += self.faults(value, header["schema"], f"header {name}")
        described = response.get("headers", {})
        own = {"date", "content-type", "content-length", "connection", "transfer-encoding", "x-content-type-options",
               "x-request-id"}
        found += [f"the header {name} is not described" for name in answer.headers
                  if name.lower() not in own | {known.lower() for known in described}]
        content = response.get("content")
        if content is None:
            return found + ([f"has a body: {answer.body[:80]!r}"] if answer.body else [])
        media = answer.headers["Content-Type"]
        if media not in content:
            return found + [f"{media} is not described"]
        if is_head:
            return found + (["HEAD has a body"] if answer.body else [])
        if "json" in media and media != "application/jsonl":
            body = json.loads(answer.body.decode("utf-8"))
        else:
            body = answer.body.decode("utf-8")
        found += self.faults(body, content[media]["schema"])
        if media == "application/problem+json" and not found:
            if body["status"] != answer.status:
                found.append(f"status {body['status']} in a {answer.status}")
            if body["code"] not in self.codes(key, status):
                found.append(f"the code {body['code']} is not listed")
        return found
