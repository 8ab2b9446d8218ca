#include "policy/policy_internal.h"

#include "base/check.h"
#include <stdlib.h>
#include <string.h>

/*
 * One hash table over pieces of patterns. A pattern can only fit a text that contains its pieces:
 * the whole text, its literal beginning, its literal end, or a whole literal segment between two
 * separators. Each rule is filed under one field, for each of its patterns there under one piece:
 * the ones that fewest rules share. A lookup walks each field of the input once in each
 * direction and asks the table only at lengths that some filed piece has. Rules without any piece
 * (`match: all`, `*`) are always tried. Where many rules share even their rarest piece (each action
 * for each tenant, say), they get an index of their own over the other fields.
 */

enum piece_kind { PIECE_WHOLE, PIECE_BEGINNING, PIECE_END, PIECE_SEGMENT };

enum {
    LENGTH_WORDS = POLICY_PATTERN_BYTES_MAX / 64 + 1,
    /* A pattern of 256 bytes has at most 128 segments; more pieces than this cannot help. */
    PIECES_MAX = 8,
    FIRST_FOUND = 64,
    CROWD = 16, /* more rules than this in one place are divided further */
    NO_PIECE = UINT32_MAX,
};

struct piece {
    enum field field;
    enum piece_kind kind;
    struct span text;
    uint64_t hash;
};

struct slot {
    struct piece piece; /* empty while piece.text.bytes is NULL */
    uint32_t *rules;
    uint32_t count;
    uint32_t capacity;
    struct index *inner; /* of the same rules by their other fields; NULL when they are few */
};

struct table {
    struct slot *slots;
    size_t mask;
};

/* Which lengths of pieces are worth asking for in one field. */
struct lengths {
    uint64_t words[LENGTH_WORDS];
    size_t longest;
};

struct field_index {
    struct lengths whole;
    struct lengths beginning;
    struct lengths end;
    bool has_segments;
};

struct index {
    struct table table;
    struct field_index fields[FIELD_COUNT];
    uint32_t *always;
    size_t always_count;
};

/* FNV-1a, a byte at a time, so that every beginning of a text has its hash on the way. The table
 * holds only pieces of the policy, so those who choose the texts cannot make it slow. */
static const uint64_t HASH_START = 0xcbf29ce484222325U;

static uint64_t hash_byte(uint64_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * 0x100000001b3U;
}

static uint64_t hash_piece(enum piece_kind kind, struct span text)
{
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < text.length; i++) {
        size_t at = kind == PIECE_END ? text.length - 1 - i : i;
        hash = hash_byte(hash, text.bytes[at]);
    }
    return hash;
}

static size_t first_slot(const struct table *table, uint64_t hash, enum field field,
                         enum piece_kind kind)
{
    uint64_t mixed = (hash ^ ((uint64_t)field << 8 | (uint64_t)kind)) * 0x9e3779b97f4a7c15U;
    return (size_t)(mixed >> 20) & table->mask;
}

static bool is_same_piece(const struct piece *left, const struct piece *right)
{
    return left->hash == right->hash && left->field == right->field && left->kind == right->kind &&
           left->text.length == right->text.length &&
           memcmp(left->text.bytes, right->text.bytes, left->text.length) == 0;
}

/* The slot of this piece, or the empty one where it belongs. Half the slots stay empty. */
static struct slot *find_slot(const struct table *table, const struct piece *piece)
{
    size_t at = first_slot(table, piece->hash, piece->field, piece->kind);
    while (table->slots[at].piece.text.bytes != NULL &&
           !is_same_piece(&table->slots[at].piece, piece)) {
        at = (at + 1) & table->mask;
    }
    return &table->slots[at];
}

static struct table make_table(size_t pieces_most, struct arena *arena)
{
    size_t size = 16;
    while (size < pieces_most * 2) {
        size *= 2;
    }
    return (struct table){.slots = arena_array(arena, size, sizeof(struct slot)), .mask = size - 1};
}

static size_t add_piece(struct piece *pieces, size_t count, enum field field, enum piece_kind kind,
                        struct span text)
{
    if (count < PIECES_MAX && text.length > 0) {
        pieces[count++] = (struct piece){field, kind, text, hash_piece(kind, text)};
    }
    return count;
}

/* What a text must contain for the pattern to fit. */
static size_t list_pieces(const struct pattern *pattern, enum field field,
                          struct piece pieces[PIECES_MAX])
{
    if (pattern->kind == PATTERN_EXACT) {
        return add_piece(pieces, 0, field, PIECE_WHOLE, pattern->text);
    }
    size_t count = add_piece(pieces, 0, field, PIECE_BEGINNING, pattern->prefix);
    count = add_piece(pieces, count, field, PIECE_END, pattern->suffix);
    const char *end = pattern->text.bytes + pattern->text.length;
    for (const char *start = pattern->text.bytes; start < end;) {
        const char *stop = memchr(start, field_separators[field], (size_t)(end - start));
        stop = stop == NULL ? end : stop;
        struct span segment = {start, (size_t)(stop - start)};
        if (memchr(start, '*', segment.length) == NULL) {
            count = add_piece(pieces, count, field, PIECE_SEGMENT, segment);
        }
        start = stop + 1;
    }
    return count;
}

/* The piece fewest rules share and how many do; NO_PIECE when there is none. */
static uint32_t choose_piece(const struct table *census, const struct pattern *pattern,
                             enum field field, struct piece *out_piece)
{
    struct piece pieces[PIECES_MAX];
    size_t count = list_pieces(pattern, field, pieces);
    uint32_t fewest = NO_PIECE;
    for (size_t i = 0; i < count; i++) {
        uint32_t sharing = find_slot(census, &pieces[i])->count;
        if (sharing < fewest) {
            fewest = sharing;
            *out_piece = pieces[i];
        }
    }
    return fewest;
}

/* How crowded the fullest place would be if the rule were filed under this field. */
static uint32_t crowd_of_field(const struct table *census, const struct rule *rule,
                               enum field field)
{
    const struct rule_field *patterns = &rule->fields[field];
    uint32_t most = patterns->count == 0 ? NO_PIECE : 0;
    for (size_t i = 0; i < patterns->count; i++) {
        struct piece piece;
        uint32_t sharing = choose_piece(census, &patterns->patterns[i], field, &piece);
        most = sharing > most ? sharing : most;
    }
    return most;
}

static void note_length(struct lengths *lengths, size_t length)
{
    lengths->words[length / 64] |= (uint64_t)1 << (length % 64);
    lengths->longest = length > lengths->longest ? length : lengths->longest;
}

static bool has_length(const struct lengths *lengths, size_t length)
{
    return length <= lengths->longest && (lengths->words[length / 64] >> (length % 64) & 1) != 0;
}

static void note_piece(struct field_index *field, const struct piece *piece)
{
    switch (piece->kind) {
    case PIECE_WHOLE:
        note_length(&field->whole, piece->text.length);
        break;
    case PIECE_BEGINNING:
        note_length(&field->beginning, piece->text.length);
        break;
    case PIECE_END:
        note_length(&field->end, piece->text.length);
        break;
    case PIECE_SEGMENT:
        field->has_segments = true;
        break;
    }
}

static void file_pattern(struct index *index, const struct piece *piece, uint32_t rule,
                         struct arena *arena)
{
    struct slot *slot = find_slot(&index->table, piece);
    slot->piece = *piece;
    if (slot->count > 0 && slot->rules[slot->count - 1] == rule) {
        return;
    }
    if (slot->count == slot->capacity) {
        slot->capacity = slot->capacity == 0 ? 1 : slot->capacity * 2;
        uint32_t *rules = arena_array(arena, slot->capacity, sizeof *rules);
        if (slot->count > 0) {
            memcpy(rules, slot->rules, slot->count * sizeof *rules);
        }
        slot->rules = rules;
    }
    slot->rules[slot->count++] = rule;
    note_piece(&index->fields[piece->field], piece);
}

/* Some of a policy's rules, to be told apart by some of their fields. */
struct portion {
    const struct rule *rules; /* all of the policy */
    const uint32_t *numbers;  /* of the rules meant */
    size_t count;
    unsigned fields; /* a bit for each field to use */
};

static bool uses_field(const struct portion *portion, enum field field)
{
    return (portion->fields >> field & 1U) != 0;
}

static void file_rule(struct index *index, const struct table *census,
                      const struct portion *portion, uint32_t number, struct arena *arena)
{
    const struct rule *rule = &portion->rules[number];
    uint32_t fewest = NO_PIECE;
    enum field chosen = FIELD_ACTION;
    for (enum field field = FIELD_ACTION; field < FIELD_COUNT; field++) {
        uint32_t crowd =
            uses_field(portion, field) ? crowd_of_field(census, rule, field) : NO_PIECE;
        if (crowd < fewest) {
            fewest = crowd;
            chosen = field;
        }
    }
    if (fewest == NO_PIECE) {
        index->always[index->always_count++] = number;
        return;
    }
    const struct rule_field *patterns = &rule->fields[chosen];
    for (size_t i = 0; i < patterns->count; i++) {
        struct piece piece;
        CHECK(choose_piece(census, &patterns->patterns[i], chosen, &piece) != NO_PIECE);
        file_pattern(index, &piece, number, arena);
    }
}

/* Counts the pieces of one rule, in `census` too unless that is NULL. */
static size_t count_pieces(const struct portion *portion, const struct rule *rule,
                           struct table *census)
{
    size_t total = 0;
    for (enum field field = FIELD_ACTION; field < FIELD_COUNT; field++) {
        size_t pattern_count = uses_field(portion, field) ? rule->fields[field].count : 0;
        for (size_t i = 0; i < pattern_count; i++) {
            struct piece pieces[PIECES_MAX];
            size_t count = list_pieces(&rule->fields[field].patterns[i], field, pieces);
            total += count;
            for (size_t j = 0; census != NULL && j < count; j++) {
                struct slot *slot = find_slot(census, &pieces[j]);
                slot->piece = pieces[j];
                slot->count++;
            }
        }
    }
    return total;
}

static struct index *build(const struct portion *portion, struct arena *arena);

/* Every level uses a field less, so the depth is at most FIELD_COUNT. */
static void divide_crowds(struct index *index, const struct portion *portion, struct arena *arena)
{
    for (size_t i = 0; i <= index->table.mask; i++) {
        struct slot *slot = &index->table.slots[i];
        if (slot->count <= CROWD) {
            continue;
        }
        struct portion crowd = {.rules = portion->rules,
                                .numbers = slot->rules,
                                .count = slot->count,
                                .fields = portion->fields & ~(1U << slot->piece.field)};
        slot->inner = build(&crowd, arena);
    }
}

static struct index *build(const struct portion *portion, struct arena *arena)
{
    struct arena *scratch ARENA_SCOPE = arena_create();
    size_t piece_count = 0;
    for (size_t i = 0; i < portion->count; i++) {
        piece_count += count_pieces(portion, &portion->rules[portion->numbers[i]], NULL);
    }
    struct table census = make_table(piece_count, scratch);
    for (size_t i = 0; i < portion->count; i++) {
        count_pieces(portion, &portion->rules[portion->numbers[i]], &census);
    }
    struct index *index = ARENA_NEW(arena, struct index);
    index->table = make_table(piece_count, arena);
    index->always = arena_array(arena, portion->count, sizeof *index->always);
    for (size_t i = 0; i < portion->count; i++) {
        file_rule(index, &census, portion, portion->numbers[i], arena);
    }
    divide_crowds(index, portion, arena);
    return index;
}

struct index *index_build(const struct rule *rules, size_t rule_count, struct arena *arena)
{
    uint32_t *numbers = arena_array(arena, rule_count, sizeof *numbers);
    for (size_t i = 0; i < rule_count; i++) {
        numbers[i] = (uint32_t)i;
    }
    struct portion all = {
        .rules = rules, .numbers = numbers, .count = rule_count, .fields = (1U << FIELD_COUNT) - 1};
    return build(&all, arena);
}

/* Rules found so far; the first FIRST_FOUND cost no allocation. */
struct found {
    uint32_t first[FIRST_FOUND];
    uint32_t *rules;
    size_t count;
    size_t capacity;
    struct arena *arena;
    const struct span *texts;
};

static void add_found(struct found *found, const uint32_t *rules, size_t count)
{
    if (found->capacity - found->count < count) {
        found->capacity = (found->count + count) * 2;
        uint32_t *grown = arena_array(found->arena, found->capacity, sizeof *grown);
        memcpy(grown, found->rules, found->count * sizeof *grown);
        found->rules = grown;
    }
    if (count > 0) {
        memcpy(found->rules + found->count, rules, count * sizeof *rules);
        found->count += count;
    }
}

static void search(const struct index *index, struct found *found);

static void take_slot(const struct slot *slot, struct found *found)
{
    if (slot->inner != NULL) {
        search(slot->inner, found);
    } else {
        add_found(found, slot->rules, slot->count);
    }
}

static void look_up(const struct index *index, enum field field, enum piece_kind kind,
                    struct span text, uint64_t hash, struct found *found)
{
    struct piece piece = {field, kind, text, hash};
    take_slot(find_slot(&index->table, &piece), found);
}

static void look_forward(const struct index *index, enum field field, struct span text,
                         struct found *found)
{
    const struct field_index *known = &index->fields[field];
    bool asks_whole = has_length(&known->whole, text.length);
    size_t most = asks_whole ? text.length : known->beginning.longest;
    most = most > text.length ? text.length : most;
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < most; i++) {
        hash = hash_byte(hash, text.bytes[i]);
        if (has_length(&known->beginning, i + 1)) {
            look_up(index, field, PIECE_BEGINNING, (struct span){text.bytes, i + 1}, hash, found);
        }
    }
    if (asks_whole) {
        look_up(index, field, PIECE_WHOLE, text, hash, found);
    }
}

static void look_backward(const struct index *index, enum field field, struct span text,
                          struct found *found)
{
    const struct lengths *known = &index->fields[field].end;
    size_t most = known->longest > text.length ? text.length : known->longest;
    uint64_t hash = HASH_START;
    for (size_t i = 1; i <= most; i++) {
        const char *start = text.bytes + text.length - i;
        hash = hash_byte(hash, *start);
        if (has_length(known, i)) {
            look_up(index, field, PIECE_END, (struct span){start, i}, hash, found);
        }
    }
}

static bool has_slot(const struct slot *const *slots, size_t count, const struct slot *slot)
{
    for (size_t i = 0; i < count; i++) {
        if (slots[i] == slot) {
            return true;
        }
    }
    return false;
}

/* A text may repeat a segment as often as it likes; its rules are added once. */
static void look_at_segments(const struct index *index, enum field field, struct span text,
                             struct found *found)
{
    const struct slot **seen = arena_array(found->arena, text.length / 2 + 1, sizeof(void *));
    size_t seen_count = 0;
    const char *end = text.bytes + text.length;
    for (const char *start = text.bytes; start < end;) {
        const char *stop = memchr(start, field_separators[field], (size_t)(end - start));
        stop = stop == NULL ? end : stop;
        struct span segment = {start, (size_t)(stop - start)};
        struct piece piece = {field, PIECE_SEGMENT, segment, hash_piece(PIECE_SEGMENT, segment)};
        const struct slot *slot = find_slot(&index->table, &piece);
        if (slot->count > 0 && !has_slot(seen, seen_count, slot)) {
            seen[seen_count++] = slot;
            take_slot(slot, found);
        }
        start = stop + 1;
    }
}

static int compare_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* Few numbers are the rule, and qsort costs more than they do. */
static void sort_numbers(uint32_t *numbers, size_t count)
{
    if (count > 32) {
        qsort(numbers, count, sizeof *numbers, compare_numbers);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        uint32_t number = numbers[i];
        size_t at = i;
        for (; at > 0 && numbers[at - 1] > number; at--) {
            numbers[at] = numbers[at - 1];
        }
        numbers[at] = number;
    }
}

static size_t drop_repeats(uint32_t *sorted, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || sorted[kept - 1] != sorted[i]) {
            sorted[kept++] = sorted[i];
        }
    }
    return kept;
}

static void search(const struct index *index, struct found *found)
{
    add_found(found, index->always, index->always_count);
    for (enum field field = FIELD_ACTION; field < FIELD_COUNT; field++) {
        look_forward(index, field, found->texts[field], found);
        look_backward(index, field, found->texts[field], found);
        if (index->fields[field].has_segments) {
            look_at_segments(index, field, found->texts[field], found);
        }
    }
}

size_t index_find(const struct index *index, const struct span texts[FIELD_COUNT],
                  struct arena *arena, uint32_t **out_rules)
{
    struct found found = {.capacity = FIRST_FOUND, .arena = arena, .texts = texts};
    found.rules = found.first;
    search(index, &found);
    sort_numbers(found.rules, found.count);
    size_t count = drop_repeats(found.rules, found.count);
    uint32_t *rules = arena_array(arena, count, sizeof *rules);
    if (count > 0) {
        memcpy(rules, found.rules, count * sizeof *rules);
    }
    *out_rules = rules;
    return count;
}
