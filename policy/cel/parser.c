#include "policy/cel/ast.h"

/* Recursive descent. Depth is counted twice: of the recursion (brackets) and of the tree. Chains of
 * `||` and `&&` are loops and make one node. */

struct parser {
    struct cel_source *source;
    struct cel_token token;
    size_t depth;
};

enum { ARGS_FIRST = 8 };

/* A growing array of nodes in the arena. */
struct node_list {
    struct cel_node **nodes;
    bool *are_optional;
    bool has_optional;
    size_t count;
    size_t capacity;
};

static struct cel_node *parse_expression(struct parser *parser);
static struct cel_node *parse_unary(struct parser *parser);

static void push(struct parser *parser, struct node_list *list, struct cel_node *node,
                 bool is_optional)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? ARGS_FIRST : list->capacity * 2;
        struct cel_node **nodes = arena_array(parser->source->arena, capacity, sizeof *nodes);
        bool *flags = arena_array(parser->source->arena, capacity, sizeof *flags);
        if (list->count > 0) {
            memcpy(nodes, list->nodes, list->count * sizeof *nodes);
            memcpy(flags, list->are_optional, list->count * sizeof *flags);
        }
        list->nodes = nodes;
        list->are_optional = flags;
        list->capacity = capacity;
    }
    list->nodes[list->count] = node;
    list->are_optional[list->count] = is_optional;
    list->has_optional |= is_optional;
    list->count++;
}

struct cel_node *cel_node_new(struct cel_source *source, enum cel_node_kind kind, uint32_t offset)
{
    if (++source->node_count > source->limits->nodes) {
        return CEL_REFUSE(source, offset, "too_long",
                          "more than %zu parts: split it over several rules or variables",
                          source->limits->nodes);
    }
    struct cel_node *node = ARENA_NEW(source->arena, struct cel_node);
    node->kind = (uint8_t)kind;
    node->offset = offset;
    node->depth = 1;
    return node;
}

static bool lies_within(struct cel_source *source, struct cel_node *node,
                        const struct cel_node *child)
{
    if (child != NULL && child->depth >= node->depth) {
        node->depth = (uint16_t)(child->depth + 1);
    }
    return node->depth <= source->limits->depth ||
           cel_refuse(source, node->offset, "too_deep",
                      "nested deeper than %zu levels: name parts of it with variables",
                      source->limits->depth);
}

struct cel_node *cel_node_with(struct cel_source *source, struct cel_node *node,
                               struct cel_node *const *args, size_t count)
{
    if (node == NULL) {
        return NULL;
    }
    bool is_well =
        lies_within(source, node, node->target) && lies_within(source, node, node->filter);
    node->args = arena_array(source->arena, count, sizeof *node->args);
    node->count = (uint32_t)count;
    for (size_t i = 0; i < count && is_well; i++) {
        node->args[i] = args[i];
        is_well = lies_within(source, node, args[i]);
    }
    return is_well ? node : NULL;
}

static void advance(struct parser *parser)
{
    const struct cel_token *token = &parser->token;
    uint32_t end =
        (uint32_t)((size_t)(token->text.bytes - parser->source->bytes) + token->text.length);
    parser->token =
        cel_next_token(parser->source, end + (token->kind == CEL_TOKEN_QUOTED_NAME ? 1 : 0));
}

static bool at(const struct parser *parser, int what)
{
    return parser->token.kind == CEL_TOKEN_PUNCTUATION && parser->token.what == what;
}

static bool take(struct parser *parser, int what)
{
    if (!at(parser, what)) {
        return false;
    }
    advance(parser);
    return true;
}

/* The error "what stands here, what is wanted instead". */
static struct cel_node *refuse_token(struct parser *parser, const char *wanted)
{
    const struct cel_token *token = &parser->token;
    if (token->kind == CEL_TOKEN_END) {
        return CEL_REFUSE(parser->source, token->offset, "syntax",
                          "the text ends here; %s is missing", wanted);
    }
    size_t length = token->text.length < 40 ? token->text.length : 40;
    return CEL_REFUSE(parser->source, token->offset, "syntax",
                      "`%.*s` cannot stand here; %s is missing", (int)length, token->text.bytes,
                      wanted);
}

static bool expect(struct parser *parser, int what, const char *wanted)
{
    if (take(parser, what)) {
        return true;
    }
    refuse_token(parser, wanted);
    return false;
}

/* Arguments up to the closing mark, which is taken. */
static bool parse_arguments(struct parser *parser, struct node_list *list, int closing,
                            bool may_be_optional)
{
    while (!at(parser, closing)) {
        bool is_optional = may_be_optional && take(parser, '?');
        struct cel_node *node = parse_expression(parser);
        if (node == NULL) {
            return false;
        }
        push(parser, list, node, is_optional);
        if (!take(parser, ',')) {
            break;
        }
        if (!may_be_optional && at(parser, closing)) {
            refuse_token(parser, "an argument after the comma");
            return false;
        }
    }
    return expect(parser, closing, closing == ')' ? "`,` or `)`" : "`,` or `]`");
}

static struct cel_node *parse_list(struct parser *parser)
{
    uint32_t offset = parser->token.offset;
    struct node_list list = {0};
    advance(parser);
    if (!parse_arguments(parser, &list, ']', true)) {
        return NULL;
    }
    struct cel_node *node = cel_node_new(parser->source, CEL_NODE_LIST, offset);
    if (node != NULL && list.has_optional) {
        node->are_optional = list.are_optional;
    }
    return cel_node_with(parser->source, node, list.nodes, list.count);
}

static struct cel_node *parse_map(struct parser *parser)
{
    uint32_t offset = parser->token.offset;
    struct node_list list = {0};
    advance(parser);
    while (!at(parser, '}')) {
        bool is_optional = take(parser, '?');
        struct cel_node *key = parse_expression(parser);
        if (key == NULL || !expect(parser, ':', "`:` and a value")) {
            return NULL;
        }
        struct cel_node *value = parse_expression(parser);
        if (value == NULL) {
            return NULL;
        }
        push(parser, &list, key, is_optional);
        push(parser, &list, value, is_optional);
        if (!take(parser, ',')) {
            break;
        }
    }
    if (!expect(parser, '}', "`,` or `}`")) {
        return NULL;
    }
    struct cel_node *node = cel_node_new(parser->source, CEL_NODE_MAP, offset);
    if (node != NULL && list.has_optional) {
        node->are_optional = list.are_optional;
    }
    return cel_node_with(parser->source, node, list.nodes, list.count);
}

static struct cel_node *parse_call(struct parser *parser, struct cel_node *receiver,
                                   struct cel_text name, uint32_t offset, bool is_absolute)
{
    struct node_list list = {0};
    if (receiver != NULL) {
        push(parser, &list, receiver, false);
    }
    advance(parser);
    if (!parse_arguments(parser, &list, ')', false)) {
        return NULL;
    }
    struct cel_node *node = cel_node_new(parser->source, CEL_NODE_CALL, offset);
    if (node == NULL) {
        return NULL;
    }
    node->name = name;
    node->is_member = receiver != NULL;
    node->is_absolute = is_absolute;
    node = cel_node_with(parser->source, node, list.nodes, list.count);
    return node == NULL || !parser->source->has_macros ? node
                                                       : cel_expand_macro(parser->source, node);
}

static bool is_reserved(struct cel_text name)
{
    static const char *const words[] = {
        "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
        "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (cel_text_is(name, words[i])) {
            return true;
        }
    }
    return false;
}

static bool is_keyword(struct cel_text name)
{
    return cel_text_is(name, "true") || cel_text_is(name, "false") || cel_text_is(name, "null") ||
           cel_text_is(name, "in");
}

static struct cel_node *parse_literal(struct parser *parser, struct cel_value literal)
{
    struct cel_node *node = cel_node_new(parser->source, CEL_NODE_LITERAL, parser->token.offset);
    if (node != NULL) {
        node->literal = literal;
        advance(parser);
    }
    return node;
}

static struct cel_node *parse_name(struct parser *parser, bool is_absolute)
{
    struct cel_token token = parser->token;
    if (cel_text_is(token.text, "true") || cel_text_is(token.text, "false")) {
        return parse_literal(parser, cel_bool(token.text.length == 4));
    }
    if (cel_text_is(token.text, "null")) {
        return parse_literal(parser, cel_null());
    }
    if (is_keyword(token.text)) {
        return refuse_token(parser, "a value");
    }
    if (is_reserved(token.text)) {
        return CEL_REFUSE(parser->source, token.offset, "reserved_word",
                          "`%.*s` is a reserved word of CEL and names no value",
                          (int)token.text.length, token.text.bytes);
    }
    advance(parser);
    if (at(parser, '(')) {
        return parse_call(parser, NULL, token.text, token.offset, is_absolute);
    }
    struct cel_node *node = cel_node_new(parser->source, CEL_NODE_NAME, token.offset);
    if (node != NULL) {
        node->name = token.text;
        node->is_absolute = is_absolute;
    }
    return node;
}

static struct cel_node *parse_number(struct parser *parser, bool is_negative, uint32_t offset)
{
    struct cel_value literal;
    if (!cel_read_literal(parser->source, &parser->token, is_negative, &literal)) {
        return NULL;
    }
    struct cel_node *node = parse_literal(parser, literal);
    if (node != NULL) {
        node->offset = offset;
    }
    return node;
}

static struct cel_node *parse_primary(struct parser *parser)
{
    struct cel_node *node;
    switch (parser->token.kind) {
    case CEL_TOKEN_NAME:
        return parse_name(parser, false);
    case CEL_TOKEN_INT:
    case CEL_TOKEN_UINT:
    case CEL_TOKEN_DOUBLE:
    case CEL_TOKEN_STRING:
    case CEL_TOKEN_BYTES:
        return parse_number(parser, false, parser->token.offset);
    case CEL_TOKEN_BAD:
        return NULL;
    case CEL_TOKEN_PUNCTUATION:
        if (at(parser, '[')) {
            return parse_list(parser);
        }
        if (at(parser, '{')) {
            return parse_map(parser);
        }
        if (take(parser, '(')) {
            node = parse_expression(parser);
            return node != NULL && expect(parser, ')', "`)`") ? node : NULL;
        }
        if (take(parser, '.')) {
            return parser->token.kind == CEL_TOKEN_NAME ? parse_name(parser, true)
                                                        : refuse_token(parser, "a name");
        }
        return refuse_token(parser, "a value");
    case CEL_TOKEN_END:
    case CEL_TOKEN_QUOTED_NAME:
        break;
    }
    return refuse_token(parser, "a value");
}

static struct cel_node *parse_select(struct parser *parser, struct cel_node *target)
{
    advance(parser);
    bool is_optional = take(parser, '?');
    struct cel_token token = parser->token;
    bool is_quoted = token.kind == CEL_TOKEN_QUOTED_NAME;
    if ((token.kind != CEL_TOKEN_NAME && !is_quoted) || (!is_quoted && is_keyword(token.text))) {
        return token.kind == CEL_TOKEN_BAD ? NULL : refuse_token(parser, "a member's name");
    }
    advance(parser);
    if (at(parser, '(') && !is_optional && !is_quoted) {
        return parse_call(parser, target, token.text, token.offset, false);
    }
    struct cel_node *node = cel_node_new(parser->source, CEL_NODE_SELECT, token.offset);
    if (node == NULL) {
        return NULL;
    }
    node->target = target;
    node->name = token.text;
    node->is_optional = is_optional;
    return cel_node_with(parser->source, node, NULL, 0);
}

static struct cel_node *parse_index(struct parser *parser, struct cel_node *target)
{
    uint32_t offset = parser->token.offset;
    advance(parser);
    bool is_optional = take(parser, '?');
    struct cel_node *key = parse_expression(parser);
    if (key == NULL || !expect(parser, ']', "`]`")) {
        return NULL;
    }
    struct cel_node *node = cel_node_new(parser->source, CEL_NODE_INDEX, offset);
    if (node == NULL) {
        return NULL;
    }
    node->target = target;
    node->is_optional = is_optional;
    return cel_node_with(parser->source, node, &key, 1);
}

static struct cel_node *parse_postfix(struct parser *parser, struct cel_node *node)
{
    while (node != NULL) {
        if (at(parser, '.')) {
            node = parse_select(parser, node);
        } else if (at(parser, '[')) {
            node = parse_index(parser, node);
        } else if (at(parser, '{')) {
            return CEL_REFUSE(
                parser->source, parser->token.offset, "no_messages",
                "messages cannot be made here; a map stands alone: `{\"key\": value}`");
        } else {
            break;
        }
    }
    return node;
}

static struct cel_node *make_operator(struct parser *parser, enum cel_operator what,
                                      uint32_t offset, struct cel_node *const *args, size_t count)
{
    struct cel_node *node = cel_node_new(parser->source, CEL_NODE_OPERATOR, offset);
    if (node != NULL) {
        node->what = (uint8_t)what;
    }
    return cel_node_with(parser->source, node, args, count);
}

/* Repeated `!` and `-` cancel out in pairs; a minus before a number belongs to it. */
static struct cel_node *parse_unary(struct parser *parser)
{
    int mark = at(parser, '!') ? '!' : at(parser, '-') ? '-' : 0;
    uint32_t offset = parser->token.offset;
    size_t count = 0;
    for (; mark != 0 && at(parser, mark); count++) {
        advance(parser);
    }
    bool is_number = parser->token.kind == CEL_TOKEN_INT || parser->token.kind == CEL_TOKEN_UINT ||
                     parser->token.kind == CEL_TOKEN_DOUBLE;
    if (mark == '-' && count == 1 && is_number) {
        return parse_postfix(parser, parse_number(parser, true, offset));
    }
    struct cel_node *node = parse_postfix(parser, parse_primary(parser));
    if (node == NULL || count % 2 == 0) {
        return node;
    }
    return make_operator(parser, mark == '!' ? CEL_OP_NOT : CEL_OP_NEGATE, offset, &node, 1);
}

/* The binary operator that stands here and how tightly it binds; -1 for none. */
static int binary_operator(const struct parser *parser, int *out_level)
{
    *out_level = 1;
    if (parser->token.kind == CEL_TOKEN_NAME) {
        return cel_text_is(parser->token.text, "in") ? CEL_OP_IN : -1;
    }
    if (parser->token.kind != CEL_TOKEN_PUNCTUATION) {
        return -1;
    }
    switch (parser->token.what) {
    case CEL_PAIR_EQUAL:
        return CEL_OP_EQUAL;
    case CEL_PAIR_UNEQUAL:
        return CEL_OP_UNEQUAL;
    case CEL_PAIR_LESS_EQUAL:
        return CEL_OP_LESS_EQUAL;
    case CEL_PAIR_GREATER_EQUAL:
        return CEL_OP_GREATER_EQUAL;
    case '<':
        return CEL_OP_LESS;
    case '>':
        return CEL_OP_GREATER;
    default:
        break;
    }
    *out_level = parser->token.what == '+' || parser->token.what == '-' ? 2 : 3;
    switch (parser->token.what) {
    case '+':
        return CEL_OP_ADD;
    case '-':
        return CEL_OP_SUBTRACT;
    case '*':
        return CEL_OP_MULTIPLY;
    case '/':
        return CEL_OP_DIVIDE;
    case '%':
        return CEL_OP_MODULO;
    default:
        return -1;
    }
}

/* Comparisons (1), sums (2) and products (3), all from the left. */
static struct cel_node *parse_binary(struct parser *parser, int level)
{
    struct cel_node *left = level > 3 ? parse_unary(parser) : parse_binary(parser, level + 1);
    while (left != NULL && level <= 3) {
        int found_level;
        int what = binary_operator(parser, &found_level);
        if (what < 0 || found_level != level) {
            break;
        }
        uint32_t offset = parser->token.offset;
        advance(parser);
        struct cel_node *args[2] = {left, parse_binary(parser, level + 1)};
        left = args[1] == NULL ? NULL
                               : make_operator(parser, (enum cel_operator)what, offset, args, 2);
    }
    return left;
}

/* `a && b && c` is one node with three arguments. */
static struct cel_node *parse_chain(struct parser *parser, enum cel_node_kind kind)
{
    int mark = kind == CEL_NODE_OR ? CEL_PAIR_OR : CEL_PAIR_AND;
    struct node_list list = {0};
    uint32_t offset = 0;
    do {
        struct cel_node *node =
            kind == CEL_NODE_OR ? parse_chain(parser, CEL_NODE_AND) : parse_binary(parser, 1);
        if (node == NULL) {
            return NULL;
        }
        push(parser, &list, node, false);
        offset = list.count == 1 ? parser->token.offset : offset;
    } while (take(parser, mark));
    if (list.count == 1) {
        return list.nodes[0];
    }
    struct cel_node *node = cel_node_new(parser->source, kind, offset);
    return cel_node_with(parser->source, node, list.nodes, list.count);
}

static struct cel_node *parse_ternary(struct parser *parser)
{
    struct cel_node *args[3] = {parse_chain(parser, CEL_NODE_OR)};
    uint32_t offset = parser->token.offset;
    if (args[0] == NULL || !take(parser, '?')) {
        return args[0];
    }
    args[1] = parse_chain(parser, CEL_NODE_OR);
    if (args[1] == NULL || !expect(parser, ':', "`:` and what holds otherwise")) {
        return NULL;
    }
    args[2] = parse_expression(parser);
    if (args[2] == NULL) {
        return NULL;
    }
    return cel_node_with(parser->source, cel_node_new(parser->source, CEL_NODE_TERNARY, offset),
                         args, 3);
}

static struct cel_node *parse_expression(struct parser *parser)
{
    if (parser->depth >= parser->source->limits->depth) {
        return CEL_REFUSE(parser->source, parser->token.offset, "too_deep",
                          "nested deeper than %zu levels: name parts of it with variables",
                          parser->source->limits->depth);
    }
    parser->depth++;
    struct cel_node *node = parse_ternary(parser);
    parser->depth--;
    return node;
}

struct cel_node *cel_parse(struct cel_source *source)
{
    if (source->length > source->limits->source_bytes) {
        return CEL_REFUSE(source, 0, "too_long", "longer than %zu bytes: split it",
                          source->limits->source_bytes);
    }
    for (size_t i = 0, taken; i < source->length; i += taken) {
        size_t rest = source->length - i;
        taken = rest < 64 ? rest : 64;
        for (; i + taken < source->length && (source->bytes[i + taken] & 0xC0) == 0x80; taken++) {
        }
        if (!cel_utf8_is_valid(source->bytes + i, taken)) {
            return CEL_REFUSE(source, (uint32_t)i, "bad_utf8",
                              "near here is a byte that is not UTF-8");
        }
    }
    struct parser parser = {.source = source, .token = cel_next_token(source, 0)};
    struct cel_node *node = parse_expression(&parser);
    if (node != NULL && parser.token.kind == CEL_TOKEN_BAD) {
        return NULL;
    }
    if (node != NULL && parser.token.kind != CEL_TOKEN_END) {
        return refuse_token(&parser, "an operator such as `&&`");
    }
    return node;
}
