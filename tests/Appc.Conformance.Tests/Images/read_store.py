#!/usr/bin/env python3
"""Reads an image store by what docs/images.md says, with nothing but the standard library.

  read_store.py ROOT list            one JSON object a line: id, name, labels, lastUsed (nanoseconds), tree digest
  read_store.py ROOT resolve PREFIX  the id that the prefix stands for
  read_store.py ROOT hold ID         takes the shared lock, says "held", keeps it until standard input ends
  read_store.py ROOT trees           which rendered trees there are, and of which images each was made
"""
import fcntl
import hashlib
import json
import os
import re
import stat
import sys

ID = re.compile(r"sha512-[0-9a-f]{128}")


def check_version(root):
    try:
        with open(os.path.join(root, "version")) as file:
            version = int(file.read())
    except FileNotFoundError:
        return
    if version > 1:
        sys.exit(f"the store has version {version}, and this program knows version 1")


def ids(root):
    try:
        names = os.listdir(os.path.join(root, "images"))
    except FileNotFoundError:
        return []
    return sorted(name for name in names if ID.fullmatch(name))


def hold(root, image):
    """Returns a descriptor that holds the image, or None if it is not there."""
    path = os.path.join(root, "images", image)
    while True:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        fcntl.flock(fd, fcntl.LOCK_SH)
        try:
            now = os.stat(path, follow_symlinks=False)
        except FileNotFoundError:
            now = None
        mine = os.fstat(fd)
        if now is not None and (now.st_dev, now.st_ino) == (mine.st_dev, mine.st_ino):
            return fd
        os.close(fd)


def netstring(data):
    return b"%d:%s," % (len(data), data)


def attributes(path):
    found = []
    for name in os.listxattr(path, follow_symlinks=False):
        if not name.startswith("security.") or name == "security.capability":
            found.append((os.fsencode(name), os.getxattr(path, name, follow_symlinks=False)))
    return sorted(found)


def tree_digest(tree):
    digest = hashlib.sha256()
    links = {}
    count = 0

    def take(path, name):
        nonlocal count
        status = os.stat(path, follow_symlinks=False)
        kind, content, link = b"s", b"", b""
        if stat.S_ISREG(status.st_mode):
            kind = b"f"
            sha256 = hashlib.sha256()
            with open(path, "rb") as file:
                while block := file.read(1 << 20):
                    sha256.update(block)
            content = sha256.hexdigest().encode()
        elif stat.S_ISDIR(status.st_mode):
            kind = b"d"
        elif stat.S_ISLNK(status.st_mode):
            kind, content = b"l", os.readlink(path)
        elif stat.S_ISFIFO(status.st_mode):
            kind = b"p"
        elif stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
            kind = b"c" if stat.S_ISCHR(status.st_mode) else b"b"
            content = b"%d:%d" % (os.major(status.st_rdev), os.minor(status.st_rdev))
        if kind != b"d" and status.st_nlink > 1:
            first = links.setdefault((status.st_dev, status.st_ino), count)
            link = b"" if first == count else b"%d" % first
        seconds, nanoseconds = divmod(status.st_mtime_ns, 10**9)
        extended = attributes(path)
        for field in (name, kind, b"%04o" % stat.S_IMODE(status.st_mode), b"%d" % status.st_uid, b"%d" % status.st_gid,
                      b"%d.%09d" % (seconds, nanoseconds), content, link, b"%d" % len(extended)):
            digest.update(netstring(field))
        for key, value in extended:
            digest.update(netstring(key) + netstring(value))
        count += 1
        if kind == b"d":
            for child in sorted(os.listdir(path)):
                take(os.path.join(path, child), child if name == b"" else name + b"/" + child)

    take(os.fsencode(tree), b"")
    return "sha256-" + digest.hexdigest()


def show(root, image):
    directory = os.path.join(root, "images", image)
    with open(os.path.join(directory, "manifest"), "rb") as file:
        manifest = json.load(file)
    tree = os.path.join(directory, "rootfs")
    return {
        "id": image,
        "name": manifest["name"],
        "labels": {label["name"]: label["value"] for label in manifest.get("labels") or []},
        "lastUsed": os.stat(os.path.join(directory, "provenance.json")).st_mtime_ns,
        "treeDigest": tree_digest(tree) if os.path.isdir(tree) else None,
    }


def rendered(root, image):
    directory = os.path.join(root, "images", image, "rendered")
    for key in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
        if os.path.isdir(os.path.join(directory, key)):
            with open(os.path.join(directory, key + ".images"), "rb") as file:
                made_of = file.read()
            assert hashlib.sha256(made_of).hexdigest() == key
            yield {"image": image, "key": key, "images": ID.findall(made_of.decode())}


def main(root, command, *rest):
    check_version(root)
    if command == "list":
        for image in ids(root):
            held = hold(root, image)
            if held is not None:
                print(json.dumps(show(root, image)))
                os.close(held)
    elif command == "resolve":
        fitting = [image for image in ids(root) if image.startswith(rest[0])]
        if len(fitting) != 1:
            sys.exit(f"{len(fitting)} images have an id that begins with {rest[0]}")
        print(fitting[0])
    elif command == "hold":
        if hold(root, rest[0]) is None:
            sys.exit("there is no such image")
        print("held", flush=True)
        sys.stdin.read()
    elif command == "trees":
        for image in ids(root):
            for tree in rendered(root, image):
                print(json.dumps(tree))


main(*sys.argv[1:])
