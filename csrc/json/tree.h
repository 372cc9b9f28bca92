/* Frees the trees of cJSON that the readers of this room make. */
#ifndef CBA_TREE_H
#define CBA_TREE_H

struct cJSON;

/* Wipes the strings of a tree, and frees the tree. `root` may be NULL. */
void cba_tree_free(struct cJSON *root);

#endif
