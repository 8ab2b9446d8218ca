#ifndef TESTS_UNIT_APPROVALS_CASES_H
#define TESTS_UNIT_APPROVALS_CASES_H

/* Short ways to write a case down. */

#include "approvals/tally.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define TEXTS(...)      ((const char *[]){__VA_ARGS__})
#define TEXT_COUNT(...) (sizeof(TEXTS(__VA_ARGS__)) / sizeof(char *))

/* An enabled person in these groups. */
#define PERSON(name, ...)                                                                          \
    {                                                                                              \
        .id = (name), .is_enabled = true, .groups = TEXTS(__VA_ARGS__),                            \
        .group_count = TEXT_COUNT(__VA_ARGS__)                                                     \
    }
/* The same, who is subject, owner or submitter. */
#define INVOLVED(name, ...)                                                                        \
    {                                                                                              \
        .id = (name), .is_enabled = true, .is_excluded = true, .groups = TEXTS(__VA_ARGS__),       \
        .group_count = TEXT_COUNT(__VA_ARGS__)                                                     \
    }
#define DISABLED(name, ...)                                                                        \
    {                                                                                              \
        .id = (name), .groups = TEXTS(__VA_ARGS__), .group_count = TEXT_COUNT(__VA_ARGS__)         \
    }

/* This many of these groups; one denial ends it; a session is enough. */
#define NEEDS(people_needed, ...)                                                                  \
    {                                                                                              \
        .rule = "rule", .quorum = (people_needed), .deny_quorum = 1,                               \
        .assurance = ASSURANCE_SESSION, .groups = TEXTS(__VA_ARGS__),                              \
        .group_count = TEXT_COUNT(__VA_ARGS__)                                                     \
    }

#define YES_BY(name, proof)                                                                        \
    {                                                                                              \
        .person = (name), .approves = true, .assurance = (proof)                                   \
    }
#define NO_BY(name, proof)                                                                         \
    {                                                                                              \
        .person = (name), .assurance = (proof)                                                     \
    }
#define YES(name) YES_BY(name, ASSURANCE_SESSION)
#define NO(name)  NO_BY(name, ASSURANCE_SESSION)

/* Asked at 1000, now 2000. */
#define CASE(requirements_, people_, votes_)                                                       \
    {                                                                                              \
        .requirements = (requirements_), .requirement_count = COUNT_OF(requirements_),             \
        .people = (people_), .person_count = COUNT_OF(people_), .votes = (votes_),                 \
        .vote_count = COUNT_OF(votes_), .asked_at = 1000, .now = 2000                              \
    }

#endif
