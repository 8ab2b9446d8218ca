#include "identity/spiffe.h"

#include <string.h>

static const char scheme[] = "spiffe://";

static bool is_lower_or_digit(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
}

static bool is_domain_character(char character)
{
    return is_lower_or_digit(character) || character == '.' || character == '-' || character == '_';
}

static bool is_path_character(char character)
{
    return is_domain_character(character) || (character >= 'A' && character <= 'Z');
}

static size_t domain_length(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length && is_domain_character(text[i])) {
        i++;
    }
    return i;
}

bool spiffe_is_trust_domain(const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);
    return length > 0 && length < TRUST_DOMAIN_BYTES && domain_length(text, length) == length;
}

/* One or more segments, each with a '/' in front. */
static bool is_path(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length) {
        size_t start = i + 1;
        if (text[i] != '/') {
            return false;
        }
        for (i = start; i < length && is_path_character(text[i]); i++) {
        }
        size_t bytes = i - start;
        bool is_dots = (bytes == 1 && text[start] == '.') ||
                       (bytes == 2 && text[start] == '.' && text[start + 1] == '.');
        if (bytes == 0 || is_dots) {
            return false;
        }
    }
    return length > 0;
}

bool spiffe_read_id(const char *text, size_t length, struct spiffe_id *out)
{
    size_t skipped = sizeof scheme - 1;
    if (length >= SPIFFE_ID_BYTES || length <= skipped || memcmp(text, scheme, skipped) != 0) {
        return false;
    }
    size_t domain = domain_length(text + skipped, length - skipped);
    if (domain == 0 || domain >= TRUST_DOMAIN_BYTES ||
        !is_path(text + skipped + domain, length - skipped - domain)) {
        return false;
    }
    memcpy(out->text, text, length);
    out->text[length] = '\0';
    memcpy(out->trust_domain, text + skipped, domain);
    out->trust_domain[domain] = '\0';
    out->path_at = skipped + domain;
    return true;
}

static bool refuse(struct error *error, const char *code, const char *message)
{
    return error_set(error, ERROR_UNAUTHENTICATED, code, NULL, "%s", message);
}

static bool judge_usage(const struct x509_facts *facts, struct error *error)
{
    if (facts->is_ca) {
        return refuse(error, "svid_is_ca", "the certificate is a CA's; a workload's must not be");
    }
    if (!facts->has_key_usage || !facts->key_usage_is_critical || !facts->may_sign ||
        facts->may_sign_certificates || facts->may_sign_lists) {
        return refuse(error, "svid_key_usage",
                      "the certificate needs a critical key usage with digitalSignature and "
                      "without keyCertSign and cRLSign");
    }
    if (facts->has_extended_usage && !(facts->may_be_client && facts->may_be_server)) {
        return refuse(error, "svid_extended_usage",
                      "the certificate's extended key usage must have both clientAuth and "
                      "serverAuth");
    }
    /* RFC 5280 section 4.2.1.6 */
    return !facts->subject_is_empty || facts->names_are_critical ||
           refuse(error, "svid_subject",
                  "the certificate has no subject, so its alternative names must be critical");
}

bool spiffe_judge_leaf(const struct x509_facts *facts, int64_t now, struct spiffe_id *out,
                       struct error *error)
{
    if (facts->uri_count != 1) {
        return refuse(error, "svid_uri_count",
                      "the certificate must have exactly one URI among its alternative names");
    }
    if (!spiffe_read_id(facts->uri, strlen(facts->uri), out)) {
        return refuse(error, "svid_id", "the certificate's URI is no SPIFFE ID of a workload");
    }
    if (!judge_usage(facts, error)) {
        return false;
    }
    if (now < facts->not_before_at) {
        return refuse(error, "svid_not_yet_valid", "the certificate is not valid yet");
    }
    return now <= facts->not_after_at ||
           refuse(error, "svid_expired", "the certificate is not valid any more");
}
