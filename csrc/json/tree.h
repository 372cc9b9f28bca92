/* What all readers do with a tree of cJSON's. */
#ifndef CBA_TREE_H
#define CBA_TREE_H

struct cJSON;

/* Wipes the strings of a tree and frees it; NULL is none. */
void cba_tree_free(struct cJSON *root);

#endif
