#include "clients/cli/cli.h"

#include "crypto/crypto.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int count, char **words);
    const char *help;
} commands[] = {
    {"request", cli_request, "ask for one action and wait for the answer"},
    {"exec", cli_exec, "ask, then run exactly the approved command and report its effect"},
    {"inbox", cli_inbox, "what waits for your decision"},
    {"show", cli_show, "one request, exactly as it would run"},
    {"approve", cli_approve, "say yes to what you were shown"},
    {"deny", cli_deny, "say no"},
    {"comment", cli_comment, "ask the agent something before you decide"},
    {"answer", cli_answer_question, "answer what an approver asks"},
    {"watch", cli_watch, "tell others that you are on it"},
    {"edit", cli_edit, "exchange the arguments of what you were asked about"},
    {"cancel", cli_cancel, "withdraw a request"},
    {"redeem", cli_redeem, "use a grant, once, for the action about to run"},
    {"effect", cli_effect, "report what came of a redeemed grant"},
    {"resolve", cli_resolve, "settle an unknown effect"},
    {"revoke", cli_revoke, "take back a grant that was not used"},
    {"freeze", cli_freeze, "the kill switch: deny and revoke in scope"},
    {"thaw", cli_thaw, "end a freeze"},
    {"ledger", cli_ledger, "export, verify, receipts"},
    {"admin", cli_admin, "people, groups, agents, callers, keys, policy (on the host)"},
    {"agents", cli_agents, "explain: which agent a token or certificate is (on the host)"},
    {"keys", cli_keys, "replace, list and export the keys that tokens are signed with"},
    {"channels", cli_channels, "how channels fare, what they were sent, a test (on the host); which tell you"},
    {"policy", cli_policy, "check, test, explain, bench; publish, versions, rollback, replay"},
    {"recover", cli_recover, "end the freeze after an old store was put back (on the host)"},
    {"ready", cli_ready, "whether the gateway could decide now (on the host; for health checks)"},
    {"whoami", cli_whoami, "who the gateway takes you for"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static int print_help(FILE *out)
{
    fprintf(out, "countersign %s: a second signature for what agents do\n\n", COUNTERSIGN_VERSION);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  countersign %-9s %s\n", commands[i].name, commands[i].help);
    }
    fprintf(out, "\n`countersign COMMAND --help` lists its options.\n\n"
                 "Exit status: 0 approved or done, 1 error, 2 usage, 3 denied, 4 expired, 5 "
                 "cancelled, 6 still pending,\n"
                 "7 redemption refused, 8 the ledger does not verify.\n");
    return out == stdout ? CLI_OK : CLI_USAGE;
}

int main(int count, char **words)
{
    crypto_start();
    if (count < 2) {
        return print_help(stderr);
    }
    if (strcmp(words[1], "--version") == 0) {
        printf("countersign %s\n", COUNTERSIGN_VERSION);
        return CLI_OK;
    }
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0 ||
        strcmp(words[1], "help") == 0) {
        return print_help(stdout);
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(words[1], commands[i].name) == 0) {
            return commands[i].run(count - 2, words + 2);
        }
    }
    fprintf(stderr, "countersign: `%s` is not a command\n\n", words[1]);
    return print_help(stderr);
}
