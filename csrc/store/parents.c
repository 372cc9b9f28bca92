#include "store/parents.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 16 }; /* symbolic links on one way */

static const char another_owner[] =
    "belongs to another user, who can replace what is in it; name another folder";
static const char another_link[] = "is a symbolic link of another user; name another folder";
static const char open_to_others[] =
    "can be written by other users, who can replace what is in it; chmod go-w it, or name another "
    "folder";

struct walk {
    char *real; /* the part that has been checked; "" is the root */
    char rest[2 * CBA_FOLDER_MAX_PATH];
    unsigned links;
};

/* ---- trusted folders --------------------------------------------------------------------- */

/* Root's folders are trusted whatever their mode: root can replace everything anyway, and only root
 * could change a folder that all may write in, such as Kubernetes makes. */
static bool is_trusted_owner(uid_t owner) {
    return owner == geteuid() || owner == 0;
}

/* Where each user has a group with the user's own number (umask 002), that group is the user
 * alone. */
static bool others_write(const struct stat *info) {
    bool group = (info->st_mode & S_IWGRP) != 0 && info->st_gid != (gid_t)info->st_uid;
    return (group || (info->st_mode & S_IWOTH) != 0) && (info->st_mode & S_ISVTX) == 0;
}

static enum cba_folder_status check_parent(struct cba_folder *folder, const char *path,
                                           const struct stat *info) {
    if (!is_trusted_owner(info->st_uid)) {
        return cba_folder_fail_at(folder, path, another_owner);
    }
    if (info->st_uid == geteuid() && others_write(info)) {
        return cba_folder_fail_at(folder, path, open_to_others);
    }
    return CBA_FOLDER_DONE;
}

/* ---- the way ----------------------------------------------------------------------------- */

static enum cba_folder_status too_long(struct cba_folder *folder) {
    errno = ENAMETOOLONG;
    return cba_folder_fail_open(folder);
}

static void step_back(char *real) {
    char *slash = strrchr(real, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
}

/* Moves the next name from `rest` to the end of `real`. NOTHING when there is none. */
static enum cba_folder_status step(struct cba_folder *folder, struct walk *walk) {
    char *name = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(name, "/"), done = strlen(walk->real);
    if (length == 0) {
        return CBA_FOLDER_NOTHING;
    }
    if (length == 2 && memcmp(name, "..", 2) == 0) {
        step_back(walk->real);
    } else if (length != 1 || *name != '.') {
        if (done + 1 + length >= CBA_FOLDER_MAX_PATH) {
            return too_long(folder);
        }
        (void)snprintf(walk->real + done, CBA_FOLDER_MAX_PATH - done, "/%.*s", (int)length, name);
    }
    memmove(walk->rest, name + length, strlen(name + length) + 1);
    return CBA_FOLDER_DONE;
}

/* Replaces the link at the end of `real` by its target, which is then walked through. */
static enum cba_folder_status follow(struct cba_folder *folder, struct walk *walk,
                                     const struct stat *info) {
    char target[CBA_FOLDER_MAX_PATH + sizeof walk->rest];
    if (!is_trusted_owner(info->st_uid)) {
        return cba_folder_fail_at(folder, walk->real, another_link);
    }
    ssize_t length = readlink(walk->real, target, CBA_FOLDER_MAX_PATH);
    if (length < 0 || ++walk->links > MOST_LINKS) {
        errno = length < 0 ? errno : ELOOP;
        return cba_folder_fail_at(folder, walk->real, "cannot be followed; name another folder");
    }
    if ((size_t)length + strlen(walk->rest) + 1 > sizeof walk->rest) {
        return too_long(folder);
    }
    memcpy(target + length, walk->rest, strlen(walk->rest) + 1);
    memcpy(walk->rest, target, strlen(target) + 1);
    if (target[0] == '/') {
        walk->real[0] = '\0';
    } else {
        step_back(walk->real);
    }
    return CBA_FOLDER_DONE;
}

/* What is at `real`; with `make`, a new folder when there is nothing. */
static enum cba_folder_status look(struct cba_folder *folder, const char *real, bool make,
                                   struct stat *info) {
    const char *path = *real != '\0' ? real : "/";
    if (lstat(path, info) == 0) {
        return CBA_FOLDER_DONE;
    }
    if (errno == ENOENT && !make) {
        return CBA_FOLDER_NOTHING;
    }
    bool is_made =
        errno == ENOENT && (mkdir(path, S_IRWXU) == 0 || errno == EEXIST) && lstat(path, info) == 0;
    return is_made ? CBA_FOLDER_DONE : cba_folder_fail_open(folder);
}

static bool is_last(const struct walk *walk) {
    return walk->rest[strspn(walk->rest, "/")] == '\0';
}

enum cba_folder_status cba_parents_walk(struct cba_folder *folder, bool make,
                                        char real[CBA_FOLDER_MAX_PATH]) {
    struct walk walk = {.real = real};
    struct stat info;
    size_t length = strlen(folder->path);
    if (length >= CBA_FOLDER_MAX_PATH) {
        return too_long(folder);
    }
    memcpy(walk.rest, folder->path, length + 1);
    real[0] = '\0';
    for (;;) {
        enum cba_folder_status status = look(folder, real, make, &info);
        if (status != CBA_FOLDER_DONE || is_last(&walk)) {
            return status;
        }
        if (S_ISLNK(info.st_mode)) {
            status = follow(folder, &walk, &info);
        } else if (!S_ISDIR(info.st_mode)) {
            return cba_folder_fail_at(folder, real, "is not a folder; name another folder");
        } else {
            status = check_parent(folder, *real != '\0' ? real : "/", &info);
        }
        if (status == CBA_FOLDER_DONE) {
            status = step(folder, &walk);
        }
        if (status != CBA_FOLDER_DONE) {
            return status;
        }
    }
}
