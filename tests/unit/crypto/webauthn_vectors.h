#ifndef TESTS_UNIT_CRYPTO_WEBAUTHN_VECTORS_H
#define TESTS_UNIT_CRYPTO_WEBAUTHN_VECTORS_H

/* What Chromium and its virtual authenticator answered on http://localhost, one registration and
 * one assertion of each algorithm; base64url, as the page sends it. */

struct webauthn_vector {
    int algorithm;
    const char *id;
    const char *registration_challenge, *registration_client_data, *attestation_object;
    const char *challenge, *client_data, *authenticator_data, *signature;
};

static const char vector_rp_id[] = "localhost";
static const char vector_origin[] = "http://localhost:40679";

/* clang-format off */
static const struct webauthn_vector webauthn_vectors[] = {
    {-7,
     "aT-buXNkWKLZyI7RNDh-HfGBsrLnlWAycWikxUgZoR4",
     "anX6QKIgQqZfCnHBJm3y18O3r2xK9sWYd5aUS3TDfkc",
     "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiYW5YNlFLSWdRcVpmQ25IQkptM3kxOE8zcjJ4"
     "SzlzV1lkNWFVUzNURGZrYyIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3Q6NDA2NzkiLCJjcm9zc09yaWdpbiI6"
     "ZmFsc2V9",
     "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVikSZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2NFAAAA"
     "AQECAwQFBgcIAQIDBAUGBwgAIGk_m7lzZFii2ciO0TQ4fh3xgbKy55VgMnFopMVIGaEepQECAyYgASFYIHAaQO6v"
     "CgzcONVdS41qSKyPNDVLpUqfZ35LReGWwtU9IlggYPCXoe51lTxt3VqW__ARX2gMeiDENf_DPwq6_rkijSE",
     "1mtnC0kj5B2SLOW3t33GoIkUWCh_rc9PyryIUbjTjbbyu7hnsbYzsnsSpAblGbYvgpBlSsxIS8JEodPNCnDYdQ",
     "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiMW10bkMwa2o1QjJTTE9XM3QzM0dvSWtVV0NoX3Jj"
     "OVB5cnlJVWJqVGpiYnl1N2huc2JZenNuc1NwQWJsR2JZdmdwQmxTc3hJUzhKRW9kUE5DbkRZZFEiLCJvcmlnaW4i"
     "OiJodHRwOi8vbG9jYWxob3N0OjQwNjc5IiwiY3Jvc3NPcmlnaW4iOmZhbHNlLCJvdGhlcl9rZXlzX2Nhbl9iZV9h"
     "ZGRlZF9oZXJlIjoiZG8gbm90IGNvbXBhcmUgY2xpZW50RGF0YUpTT04gYWdhaW5zdCBhIHRlbXBsYXRlLiBTZWUg"
     "aHR0cHM6Ly9nb28uZ2wveWFiUGV4In0",
     "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAg",
     "MEUCIH13Pb43qEG2_suq4-4SaXqFLuQlWHDRaLRh2yjyqCbnAiEAk_XKEQ6rJ8BfpKg6UgEw_Ibt2YMUPcAJDgSq"
     "eBYYmAg"},
    {-8,
     "P1CptyB88CWfooQcbXTvaeTB2FhEry-tayc0rEkdenY",
     "27K-IRpyXoaSd67NPqtUXbEHUQXaZB6GURXSWcqvrfw",
     "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiMjdLLUlScHlYb2FTZDY3TlBxdFVYYkVIVVFY"
     "YVpCNkdVUlhTV2NxdnJmdyIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3Q6NDA2NzkiLCJjcm9zc09yaWdpbiI6"
     "ZmFsc2UsIm90aGVyX2tleXNfY2FuX2JlX2FkZGVkX2hlcmUiOiJkbyBub3QgY29tcGFyZSBjbGllbnREYXRhSlNP"
     "TiBhZ2FpbnN0IGEgdGVtcGxhdGUuIFNlZSBodHRwczovL2dvby5nbC95YWJQZXgifQ",
     "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YViBSZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2NFAAAA"
     "AQECAwQFBgcIAQIDBAUGBwgAID9QqbcgfPAln6KEHG1072nkwdhYRK8vrWsnNKxJHXp2pAEBAycgBiFYIIh6OY5h"
     "8LQXG2T0bGUpo6g_2G0oZ5WIrQmwQC8TuD5K",
     "XTVxvjmC-eMmy_CsBxFzNDhHI2O1_JRuUz2tIXITshryu7hnsbYzsnsSpAblGbYvgpBlSsxIS8JEodPNCnDYdQ",
     "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiWFRWeHZqbUMtZU1teV9Dc0J4RnpORGhISTJPMV9K"
     "UnVVejJ0SVhJVHNocnl1N2huc2JZenNuc1NwQWJsR2JZdmdwQmxTc3hJUzhKRW9kUE5DbkRZZFEiLCJvcmlnaW4i"
     "OiJodHRwOi8vbG9jYWxob3N0OjQwNjc5IiwiY3Jvc3NPcmlnaW4iOmZhbHNlfQ",
     "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAg",
     "bMJM8bExTRiaKGosYArf3_cINtOFl1A2SqrqUgB5j41CTnT_s4Qe34J_zj0FCB-d2WvYxI7NArzxFwoqf2azCg"},
    {-257,
     "pb-oVewCLFKVAbGAfuI5SqNqx5bbWO2NQsNCcEHwpJ4",
     "I08Zk69uCqd-AtsoGNOep41t_4U2z2noO14IsbeNt7s",
     "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiSTA4Wms2OXVDcWQtQXRzb0dOT2VwNDF0XzRV"
     "Mnoybm9PMTRJc2JlTnQ3cyIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3Q6NDA2NzkiLCJjcm9zc09yaWdpbiI6"
     "ZmFsc2V9",
     "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVkBZ0mWDeWIDoxodDQXD2R2YFuP5K65ooYyx5lc87qDHZdjRQAA"
     "AAEBAgMEBQYHCAECAwQFBgcIACClv6hV7AIsUpUBsYB-4jlKo2rHlttY7Y1Cw0JwQfCknqQBAwM5AQAgWQEApnxj"
     "ubPthYGmwh66CEI2RGMOJ3e1bv1fxp0VpJKjJX8ceExHhg7ft_jw_kLrLnqmEW7di5DEhC_ErsCg1tf6_mMHrClo"
     "FkVmJ2HaZFfYIh1KxoLvmyvivjCfTRzTityLFar-gOokmxoHIU3ZEVAC4bseVxOA9gtsee3Gw5gpnsRjbEz5EMm_"
     "ARuog7fLnK7QljKpGZ2TXETy3KZ8FOKiG3D9eI0u93j4cG16N0IrwT3L6cO61bSptu1-ckli7HMj7ki8LjsM-V3u"
     "UdIqjBqMdIjWqHcLMc9HhDlNpf-QbMUnJTtw2a_9G5oWArJBAj1YY-y5xfL28iaM6-ZWgc7K2SFDAQAB",
     "LUfXr13bR7m-KHg_bq2dPZtbDx1rEaXGVLB55MwGhzTyu7hnsbYzsnsSpAblGbYvgpBlSsxIS8JEodPNCnDYdQ",
     "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiTFVmWHIxM2JSN20tS0hnX2JxMmRQWnRiRHgxckVh"
     "WEdWTEI1NU13R2h6VHl1N2huc2JZenNuc1NwQWJsR2JZdmdwQmxTc3hJUzhKRW9kUE5DbkRZZFEiLCJvcmlnaW4i"
     "OiJodHRwOi8vbG9jYWxob3N0OjQwNjc5IiwiY3Jvc3NPcmlnaW4iOmZhbHNlfQ",
     "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAg",
     "OroNH32syFJOv2qopL5JikSWfOZhsckYRNy3hUHKiIPOSYorxuNUpYwtYC758E1tUqUXZCkGbV_fCEAp7cTdJ0bi"
     "Fl3fLfkZ54wFHM9I8iMziaV3EIfSg6s7m-jZUGwB35eKKnM4mZVq0CoqHtiFVohkgdJfbI6B1EeQNVb2ty0QL2H_"
     "C6zf2VzrOzKvt1KGSPqfOoiFNJXtxMPt63XjsRU-oAKxib6I1xTo6mvWA_7YjZSWCJ2uBqBHxV9tBZdtcPaKCE3U"
     "B3_pvIOBQJEAR0zGAYoyS1NaokY5gPt5ZAa0VnRuLrKKO76J4bBUNyULT08xHhzixQYKcGZCSurhEA"},
};
/* clang-format on */

#endif
