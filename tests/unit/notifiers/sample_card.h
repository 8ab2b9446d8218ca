#ifndef TESTS_UNIT_NOTIFIERS_SAMPLE_CARD_H
#define TESTS_UNIT_NOTIFIERS_SAMPLE_CARD_H

/* A card as it would be read, for the tests of each channel. */

#include "notifiers/card.h"
#include <string.h>

static inline struct card sample_card(const char *arguments, const char *why)
{
    return (struct card){
        .moment = CARD_ASKED,
        .request = "req_1",
        .link = "https://gw.example/requests/req_1",
        .nonce = "n1",
        .action = "payments.refund",
        .resource = "order/4711",
        .agent = "billing-bot",
        .subject = "user/dana",
        .risk = "high",
        .digest = "b9d01a5e81274d7dca4df8f31d62a451fd719cc20b65808087ca3361639cdf5a",
        .revision = 1,
        .why = why,
        .arguments = arguments,
        .arguments_length = strlen(arguments),
        .created_at = 1000,
        .timeout_at = 901000,
        .state = "pending",
        .decides = true,
    };
}

#endif
