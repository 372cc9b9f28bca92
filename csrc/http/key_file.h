/* Recognises the format of a file of certificates or keys by its content. The file's name does not
 * matter. */
#ifndef CBA_KEY_FILE_H
#define CBA_KEY_FILE_H

enum cba_key_form {
    CBA_FORM_PEM, /* and what only the TLS library can tell: no regular file, a PKCS#11 URI */
    CBA_FORM_DER,
    CBA_FORM_PKCS12,
    CBA_FORM_OTHER,
    CBA_FORM_UNREADABLE, /* errno says why */
};

enum cba_key_form cba_key_form(const char *path);

#endif
