#include "json/tree.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "secret/secret.h"

/* Recursion is bounded by cJSON's nesting limit, CBA_JSON_DEPTH_MAX. */
static void wipe(struct cJSON *item) {
    for (; item != NULL; item = item->next) {
        if (item->valuestring != NULL) {
            cba_wipe(item->valuestring, strlen(item->valuestring));
        }
        wipe(item->child);
    }
}

void cba_tree_free(struct cJSON *root) {
    wipe(root);
    cJSON_Delete(root);
}
