#include "json/credentials.h"

#include <cjson/cJSON.h>
#include <string.h>

size_t cba_json_write_credentials(char *out, size_t size, const char *id, const char *secret) {
    /* Items of our own on the stack: printing them allocates nothing, so no copy of a secret is
     * left on the heap. cJSON does not change string or valuestring. */
    cJSON second = {.type = cJSON_String, .string = "clientSecret", .valuestring = (char *)secret};
    cJSON first = {
        .type = cJSON_String, .string = "clientId", .valuestring = (char *)id, .next = &second};
    cJSON object = {.type = cJSON_Object, .child = &first};
    return cJSON_PrintPreallocated(&object, out, (int)size, 0) ? strlen(out) : 0;
}
