#include "operations/attention_internal.h"
#include <string.h>

enum {
    PAGE_MAX = 200,
    /* Rows looked at for one page of someone who may see few of them. */
    SCANNED_MAX = 5000,
};

struct page {
    const struct list_input *input;
    struct request_filter filter;
    struct viewer viewer;
    char last_id[ID_BYTES]; /* where the next rows begin */
    struct request_view *views;
    size_t count;
    size_t limit;   /* one more than asked for tells that there are more */
    bool is_capped; /* enough was looked at; there may be more */
};

/* Whether this principal may see it, found out in memory that is given back: most rows of a page
 * may be somebody else's. */
static bool may_see(const struct operation *operation, const struct page *page,
                    const struct request_row *row, struct arena *scratch, bool *out_may,
                    struct error *error)
{
    struct operation aside = *operation;
    struct authorize_facts facts;
    struct error refused = {0};
    aside.arena = scratch;
    if (!find_standing(&aside, &page->viewer, row, &facts, error)) {
        return false;
    }
    *out_may = authorize(&aside, OPERATION_READ_REQUEST, &facts, NULL, &refused);
    return true;
}

static bool add_row(struct operation *operation, struct page *page, const struct request_row *row,
                    struct error *error)
{
    struct request_view *view = &page->views[page->count];
    struct request_row request;
    if (!store_read_request(operation->store, row->tenant, row->id, operation->arena, &request,
                            error) ||
        !view_request(operation, &request, view, error)) {
        return false;
    }
    bool is_wanted = !page->input->only_mine_to_decide || view->may_approve || view->may_deny;
    page->count += is_wanted ? 1 : 0;
    return true;
}

static bool add_rows(struct operation *operation, struct page *page, struct arena *scratch,
                     size_t *out_scanned, struct error *error)
{
    struct request_row *rows;
    size_t count;
    if (!store_list_requests(operation->store, &page->filter, scratch, &rows, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count && page->count < page->limit; i++) {
        bool may = false;
        if (!may_see(operation, page, &rows[i], scratch, &may, error) ||
            (may && !add_row(operation, page, &rows[i], error))) {
            return false;
        }
    }
    if (count > 0) {
        memcpy(page->last_id, rows[count - 1].id, sizeof page->last_id);
        page->filter.before_id = page->last_id;
    }
    *out_scanned = count;
    return true;
}

static bool fill_page(struct operation *operation, struct page *page, struct error *error)
{
    size_t scanned = page->filter.limit;
    for (size_t total = 0; page->count < page->limit && total < SCANNED_MAX; total += scanned) {
        struct arena *scratch ARENA_SCOPE = arena_create();
        if (!add_rows(operation, page, scratch, &scanned, error)) {
            return false;
        }
        if (scanned < page->filter.limit) {
            return true;
        }
    }
    page->is_capped = true;
    return true;
}

static bool find_agent_id(struct operation *operation, struct page *page, bool *out_exists,
                          struct error *error)
{
    struct agent_row *agent = ARENA_NEW(operation->arena, struct agent_row);
    struct error missing = {0};
    *out_exists = true;
    if (page->input->agent == NULL) {
        return true;
    }
    if (!store_read_agent(operation->store, page->filter.tenant, page->input->agent,
                          operation->arena, agent, &missing)) {
        *out_exists = false;
        return missing.kind == ERROR_NOT_FOUND || hide_missing(&missing, NULL, error);
    }
    page->filter.agent = agent->id;
    return true;
}

bool operation_read_budget(struct operation *operation, struct view_budget *out,
                           struct error *error)
{
    return authorize(operation, OPERATION_LIST_REQUESTS, NULL, NULL, error) &&
           view_budget(operation, out, error);
}

bool operation_list_requests(struct operation *operation, const struct list_input *input,
                             struct request_view **out, size_t *out_count, const char **out_next,
                             struct error *error)
{
    const struct principal *principal = &operation->principal;
    size_t limit = input->limit < 1 ? 1 : input->limit > PAGE_MAX ? PAGE_MAX : input->limit;
    struct page page = {
        .input = input,
        .limit = limit + 1,
        .filter = {.tenant = principal->tenant,
                   .caller = principal->kind == PRINCIPAL_CALLER ? principal->id : NULL,
                   .state = input->only_mine_to_decide ? REQUEST_PENDING : input->state,
                   .before_id = input->before_id == NULL ? "" : input->before_id,
                   .limit = PAGE_MAX},
    };
    bool exists;
    page.views = arena_array(operation->arena, page.limit, sizeof *page.views);
    if (!authorize(operation, OPERATION_LIST_REQUESTS, NULL, NULL, error) ||
        !load_viewer(operation, &page.viewer, error) ||
        !find_agent_id(operation, &page, &exists, error)) {
        return false;
    }
    if (exists && !fill_page(operation, &page, error)) {
        return false;
    }
    bool is_full = page.count > limit;
    *out = page.views;
    *out_count = is_full ? limit : page.count;
    *out_next = is_full          ? page.views[limit - 1].request.id
                : page.is_capped ? arena_text(operation->arena, page.last_id)
                                 : NULL;
    return true;
}
