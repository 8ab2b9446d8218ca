// Writes the cases of cel-spec that the npm package @bufbuild/cel-spec carries as the JSON that
// tests/conformance/cel.c reads: `node cel_cases.mjs FOLDER` fills FOLDER/cases. Left out are the
// cases about protobuf messages, their enums and extensions: there are none in this product.
import fs from "node:fs";
import path from "node:path";

const web = new URL("../../web/node_modules/@bufbuild/cel-spec/dist/esm/testdata/", import.meta.url);
const { tests } = await import(new URL("conformance.js", web));

const MESSAGES = new Set(["TestAllTypes", "NestedTestAllTypes", "GlobalEnum", "NestedEnum", "NestedMessage",
  "TestRequired", "Proto2ExtensionScopedMessage"]);
const WELL_KNOWN = new Set(["Any", "Value", "Struct", "ListValue", "NullValue", "BoolValue", "BytesValue",
  "StringValue", "DoubleValue", "FloatValue", "Int32Value", "Int64Value", "UInt32Value", "UInt64Value", "Empty",
  "FieldMask"]);
const PRIMITIVES = { BOOL: "bool", INT64: "int", UINT64: "uint", DOUBLE: "double", STRING: "string", BYTES: "bytes" };

class AboutProtobuf extends Error {}

function leaveOut(isSo) {
  if (isSo) throw new AboutProtobuf();
}

// Names and marks of an expression, without strings and comments.
function words(source) {
  const found = [];
  const token = /(\s+|\/\/[^\n]*)|([bB]?[rR]?(?:"""|'''|"|'))|(\d[\w.]*)|([A-Za-z_]\w*)|(`[^`]*`)|([^])/y;
  for (let at = 0; at < source.length; at = token.lastIndex) {
    token.lastIndex = at;
    const [, , opening, , name, quoted, mark] = token.exec(source);
    if (opening) token.lastIndex = endOfString(source, token.lastIndex, opening);
    if (name || quoted || mark) found.push({ text: name ?? quoted ?? mark, isName: Boolean(name ?? quoted) });
  }
  return found;
}

function endOfString(source, at, opening) {
  const quote = opening.replace(/^[bBrR]+/, "");
  const isRaw = /r/i.test(opening.slice(0, -quote.length));
  while (at < source.length && !source.startsWith(quote, at)) at += !isRaw && source[at] === "\\" ? 2 : 1;
  return at + quote.length;
}

function refuseMessages(test) {
  const all = words(test.expr);
  const text = (i) => all[i]?.text ?? "";
  all.forEach((word, i) => {
    const before = text(i - 1);
    leaveOut(word.text === "{" && all[i - 1]?.isName && !["in", "true", "false", "null"].includes(before));
    if (!word.isName) return;
    leaveOut(MESSAGES.has(word.text));
    leaveOut(word.text === "protobuf" && before === "." && text(i + 1) === "." &&
      !["Timestamp", "Duration"].includes(text(i + 2)));
    leaveOut(test.container === "google.protobuf" && WELL_KNOWN.has(word.text) && before !== ".");
    leaveOut(word.text === "proto" && text(i + 1) === "." && ["hasExt", "getExt"].includes(text(i + 2)));
  });
}

function timestamp(text) {
  const [, whole, fraction] = /^(.*?)(?:\.(\d+))?Z$/.exec(text);
  return { seconds: String(BigInt(Date.parse(whole + "Z")) / 1000n), nanos: Number((fraction ?? "").padEnd(9, "0")) };
}

function duration(text) {
  const [, sign, whole, fraction] = /^(-?)(\d+)(?:\.(\d+))?s$/.exec(text);
  const factor = sign ? -1 : 1;
  return { seconds: String(BigInt(factor) * BigInt(whole)), nanos: factor * Number((fraction ?? "").padEnd(9, "0")) || 0 };
}

function double(number) {
  return typeof number === "string" ? number : Object.is(number, -0) ? "-0.0" : String(number);
}

function message(inside) {
  const name = inside["@type"].split("/").pop();
  leaveOut(!["google.protobuf.Timestamp", "google.protobuf.Duration"].includes(name));
  return name.endsWith("Timestamp") ? { timestamp: timestamp(inside.value) } : { duration: duration(inside.value) };
}

function value(holder) {
  const [kind] = Object.keys(holder);
  const inside = holder[kind];
  switch (kind) {
    case "nullValue": return { null: null };
    case "boolValue": return { bool: inside };
    case "int64Value": return { int64: String(inside) };
    case "uint64Value": return { uint64: String(inside) };
    case "doubleValue": return { double: double(inside) };
    case "stringValue": return { string: inside };
    case "bytesValue": return { bytes: Buffer.from(inside, "base64").toString("hex") };
    case "listValue": return { list: (inside.values ?? []).map(value) };
    case "mapValue": return { map: (inside.entries ?? []).map((entry) => [value(entry.key), value(entry.value)]) };
    case "typeValue": leaveOut(inside.startsWith("cel.expr.conformance")); return { type: inside };
    case "objectValue": return message(inside);
    default: throw new AboutProtobuf();
  }
}

function type(holder) {
  if (!holder || "dyn" in holder) return "dyn";
  if ("null" in holder) return "null_type";
  if (holder.primitive) return PRIMITIVES[holder.primitive];
  if (holder.wrapper) return { wrapper: PRIMITIVES[holder.wrapper] };
  if (holder.wellKnown) return holder.wellKnown.toLowerCase();
  if (holder.listType) return { list: type(holder.listType.elemType) };
  if (holder.mapType) return { map: [type(holder.mapType.keyType), type(holder.mapType.valueType)] };
  if (holder.typeParam) return { param: holder.typeParam };
  if (holder.type) return { type: type(holder.type) };
  if (holder.messageType) {
    leaveOut(!["google.protobuf.Timestamp", "google.protobuf.Duration"].includes(holder.messageType));
    return holder.messageType.endsWith("Timestamp") ? "timestamp" : "duration";
  }
  const abstract = holder.abstractType;
  return abstract ? { abstract: abstract.name, params: (abstract.parameterTypes ?? []).map(type) } : "dyn";
}

function overload(declared) {
  return { id: declared.overloadId ?? "", instance: Boolean(declared.isInstanceFunction),
    params: (declared.params ?? []).map(type), result: type(declared.resultType) };
}

function declaration(declared) {
  return declared.ident ? { name: declared.name, type: type(declared.ident.type) }
    : { name: declared.name, overloads: declared.function.overloads.map(overload) };
}

function expectation(test) {
  if (test.evalError) return { error: true };
  if (!test.typedResult) return { value: test.value ? value(test.value) : { bool: true } };
  const expected = { type: type(test.typedResult.deducedType) };
  if (test.typedResult.result && !test.checkOnly) expected.value = value(test.typedResult.result);
  return expected;
}

function convert(section, test) {
  refuseMessages(test);
  const bindings = {};
  for (const [name, bound] of Object.entries(test.bindings ?? {})) {
    leaveOut(!bound.value);
    bindings[name] = value(bound.value);
  }
  return { section, name: test.name, expr: test.expr, bindings, typeEnv: (test.typeEnv ?? []).map(declaration),
    container: test.container ?? "", disable_macros: Boolean(test.disableMacros),
    disable_check: Boolean(test.disableCheck), check_only: Boolean(test.checkOnly), expect: expectation(test) };
}

function collect(suite, section, into) {
  for (const inner of suite.suites ?? []) collect(inner, section ?? inner.name, into);
  for (const test of suite.tests ?? []) {
    try {
      into.push(convert(section, test.original));
    } catch (error) {
      if (!(error instanceof AboutProtobuf)) throw error;
    }
  }
}

const folder = path.join(process.argv[2], "cases");
fs.mkdirSync(folder, { recursive: true });
for (const suite of tests.suites) {
  const cases = [];
  collect(suite, undefined, cases);
  if (cases.length > 0) fs.writeFileSync(path.join(folder, `${suite.name}.json`), JSON.stringify({ tests: cases }));
}
