#include "http/client_certificate.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "http/key_file.h"
#include "http/libcurl.h"
#include "http/setopt.h"
#include "secret/secret.h"

/* GnuTLS builds take PKCS#12 from this version on. */
enum { GNUTLS_KNOWS_PKCS12 = 0x080B00 };

static bool knows_pkcs12(void) {
    return !cba_libcurl_has_gnutls() ||
           curl_version_info(CURLVERSION_NOW)->version_num >= GNUTLS_KNOWS_PKCS12;
}

static bool is_file_bad(struct cba_failure *failure, const char *option, enum cba_key_form form) {
    char text[CBA_DETAIL_MAX];
    if (form == CBA_FORM_UNREADABLE) {
        (void)snprintf(text, sizeof text, "the file in %s: %s", option, strerror(errno));
    } else if (form == CBA_FORM_OTHER) {
        (void)snprintf(text, sizeof text,
                       "the file in %s is neither PEM, DER nor PKCS#12, or not whole", option);
    } else {
        return false;
    }
    cba_failure_of_client(failure, text);
    return true;
}

/* Why a certificate of one form does not go with a key of another; or NULL. */
static const char *mismatch(enum cba_key_form certificate, bool has_key, enum cba_key_form key) {
    if (certificate == CBA_FORM_PKCS12) {
        return has_key ? "clientCert is PKCS#12, which contains its key: leave clientKey out"
               : knows_pkcs12()
                   ? NULL
                   : "this libcurl with GnuTLS cannot read PKCS#12, 8.11 can: make PEM "
                     "of clientCert with openssl pkcs12 -in FILE -out FILE.pem";
    }
    if (has_key && key == CBA_FORM_PKCS12) {
        return "clientKey is PKCS#12: give it as clientCert, and no clientKey";
    }
    if (!has_key && certificate == CBA_FORM_DER) {
        return "clientCert is DER, which cannot contain a key: give clientKey";
    }
    if (has_key && key != certificate && cba_libcurl_has_gnutls()) {
        return "GnuTLS wants clientCert and clientKey both as PEM or both as DER";
    }
    return NULL;
}

static const char *name_of(enum cba_key_form form) {
    return form == CBA_FORM_PKCS12 ? "P12" : form == CBA_FORM_DER ? "DER" : "PEM";
}

/* Or NULL: none. GnuTLS asks nobody on the terminal for the passphrase of an encrypted key, and
 * takes an empty one for the key of a plain file. OpenSSL and its kin ask, unless they have one. */
static const char *passphrase_of(const struct cba_settings *settings) {
    size_t length;
    const char *given = settings->client_key_password != NULL
                            ? cba_secret_bytes(settings->client_key_password, &length)
                            : NULL;
    return given == NULL && !cba_libcurl_has_gnutls() ? "" : given;
}

void cba_client_certificate_apply(const struct cba_settings *settings, void *easy,
                                  struct cba_failure *failure) {
    enum cba_key_form certificate_form = cba_key_form(settings->client_cert), key_form;
    if (is_file_bad(failure, "clientCert", certificate_form)) {
        return;
    }
    const char *key = settings->client_key;
    if (key != NULL && strcmp(key, settings->client_cert) == 0) {
        key = NULL; /* the same file */
    }
    key_form = key != NULL ? cba_key_form(key) : certificate_form;
    if (key != NULL && is_file_bad(failure, "clientKey", key_form)) {
        return;
    }
    const char *fault = mismatch(certificate_form, key != NULL, key_form);
    if (fault != NULL) {
        cba_failure_of_client(failure, fault);
        return;
    }
    CBA_SET(CURLOPT_SSLCERT, settings->client_cert);
    CBA_SET(CURLOPT_SSLCERTTYPE, name_of(certificate_form));
    if (key != NULL) {
        CBA_SET(CURLOPT_SSLKEY, key);
        CBA_SET(CURLOPT_SSLKEYTYPE, name_of(key_form));
    }
    CBA_SET(CURLOPT_KEYPASSWD, passphrase_of(settings));
}
