#!/usr/bin/env bash
# The main job from end to end: builds a real image (Debian's redis), signs it, publishes it over HTTPS,
# finds it by its name, fetches it, proves who signed it, and runs it as pods. Everything stays in .quickstart/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=eng/lib.sh
. eng/lib.sh
become_root "$0" "$@"

work=$PWD/.quickstart
name=quickstart.example/redis
step_number=0
began=$(date +%s%N)
server_pid=
gpg_home=

# The pods, the server and the key agent end with this script, however it ends.
cleanup() {
    local code=$?
    trap - EXIT INT TERM
    if [ -x "$work/bin/appc/appc" ] && [ -d "$work/data/pods" ]; then
        appc list --format json 2>/dev/null | sed -n 's/^ *"uuid": "\(.*\)",$/\1/p' | while read -r uuid; do
            appc stop --force "$uuid" >/dev/null 2>&1 || true
        done
        appc gc --grace-period 0 --expire-prepared 0 >/dev/null 2>&1 || true
    fi
    [ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null || true
    if [ -n "$gpg_home" ]; then
        GNUPGHOME=$gpg_home gpgconf --kill all 2>/dev/null || true
        rm -rf "$gpg_home"
    fi
    [ "$code" -eq 0 ] || echo "quickstart: failed in step $step_number (exit code $code); its files are in $work" >&2
    exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ms() { echo $((($(date +%s%N) - $1) / 1000000)); }
step() {
    step_number=$((step_number + 1))
    step_began=$(date +%s%N)
    printf "%2d. %s" "$step_number" "$1"
}
done_in() { printf "  [%s ms]\n" "$(ms "$step_began")"; }
show() { sed 's/^/      /'; }
appc() { "$work/bin/appc/appc" --root "$work/data" --config "$work/etc" --system-config "$work/no" "$@"; }
# Runs a command that must fail with a code, and shows what it says.
refused() {
    local expected=$1 code=0
    shift
    "$@" >"$work/refused" 2>&1 || code=$?
    done_in
    show <"$work/refused"
    [ "$code" -eq "$expected" ] || { echo "      expected exit code $expected, got $code" >&2; exit 1; }
}

mkdir -p "$work"

step "install what is missing (systemd-nspawn, gpg, openssl, the .NET 10 SDK)"
need systemd-nspawn=systemd-container /lib/systemd/systemd=systemd gpg=gnupg openssl=openssl tar=tar
need_dotnet
done_in

step "build appc and a small web server from this repository"
dotnet publish samples/appc -c Release -o "$work/bin/appc" -v quiet -nologo -clp:ErrorsOnly
dotnet publish samples/quickstart -c Release -o "$work/bin/server" -v quiet -nologo -clp:ErrorsOnly
done_in

# From here on everything is made anew in each run; only programs and downloaded packages are kept.
rm -rf "$work"/{data,etc,rootfs,www,tls,*.aci,*.asc,*.json,port}
mkdir -p "$work"/{rootfs,www/images,tls,debs}

step "take redis, busybox and their libraries from the distribution's packages"
closure=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
    redis-server busybox 2>/dev/null | grep -E '^(redis-(server|tools)|busybox|lib[a-z0-9.+-]+|liblua.*|gcc-[0-9]+-base)$' | sort -u || true)
if [ -z "$closure" ]; then
    apt_update_once
    closure=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
        redis-server busybox | grep -E '^(redis-(server|tools)|busybox|lib[a-z0-9.+-]+|gcc-[0-9]+-base)$' | sort -u)
fi
wanted=$(grep -vE '^lib(perl|pam|db5|gdbm|file-find|number-compare|text-glob|debian-installer|newt|slang|semanage|elogind|sepol|readline|audit|textwrap|debconf)' <<<"$closure")
if [ "$(cat "$work/debs/list" 2>/dev/null)" != "$wanted" ]; then
    rm -f "$work"/debs/*
    # shellcheck disable=SC2086 # one word a package
    (cd "$work/debs" && apt-get download -q -o APT::Sandbox::User=root $wanted >download.log 2>&1) || {
        apt_update_once
        # shellcheck disable=SC2086
        (cd "$work/debs" && apt-get download -q -o APT::Sandbox::User=root $wanted >download.log 2>&1) ||
            { tail -3 "$work/debs/download.log" >&2; die "apt-get could not download the packages"; }
    }
    echo "$wanted" >"$work/debs/list"
fi
root=$work/rootfs
mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{etc,tmp,dev,proc,sys,run,var/lib/redis}
for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$root/$directory"; done
for deb in "$work"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --exclude './usr/share/*' --exclude './etc/*'
done
chroot "$root" /bin/busybox --install -s /usr/bin 2>/dev/null || true
chmod 1777 "$root/tmp"
printf 'root:x:0:0:root:/:/bin/sh\nredis:x:100:100:redis:/var/lib/redis:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nredis:x:100:\n' >"$root/etc/group"
chown 100:100 "$root/var/lib/redis"
done_in
echo "      $(wc -l <<<"$wanted") packages, $(du -sh "$root" | cut -f1), $(chroot "$root" /usr/bin/redis-server --version | cut -d' ' -f1-3)"

step "build the image, reproducibly"
architecture=$(uname -m | sed 's/x86_64/amd64/')
cat >"$work/manifest.json" <<JSON
{
  "acKind": "ImageManifest", "acVersion": "0.8.11", "name": "$name",
  "labels": [
    { "name": "version", "value": "1.0.0" }, { "name": "os", "value": "linux" }, { "name": "arch", "value": "$architecture" }
  ],
  "app": {
    "exec": ["/usr/bin/redis-server", "--bind", "127.0.0.1", "--save", "", "--dir", "/var/lib/redis"],
    "user": "redis", "group": "redis", "workingDirectory": "/var/lib/redis"
  }
}
JSON
# The template below expands {name} to the whole name, so that the file lies in a directory called after its domain.
image=$work/www/images/$name-1.0.0-linux-$architecture.aci
mkdir -p "$(dirname "$image")"
id=$(appc build --manifest "$work/manifest.json" --rootfs "$root" --overwrite "$image")
done_in
echo "      ${id:0:23}…  $(du -h "$image" | cut -f1)"

step "make a key with gpg, and sign the image"
gpg_home=$(mktemp -d)
export GNUPGHOME=$gpg_home
gpg --batch --quiet --passphrase '' --quick-generate-key 'Quickstart <images@quickstart.example>' ed25519 sign 1y 2>/dev/null
gpg --batch --quiet --armor --export >"$work/www/pubkeys.gpg"
gpg --batch --quiet --armor --export-secret-keys >"$gpg_home/secret.asc"
appc sign --key "$gpg_home/secret.asc" "$image" >/dev/null
gpg --verify "$image.asc" "$image" 2>"$work/gpg.log" || { cat "$work/gpg.log"; exit 1; }
done_in
grep -m1 'Good signature' "$work/gpg.log" | show

step "publish it over HTTPS, with a certificate authority of our own"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=quickstart authority' \
    -keyout "$work/tls/ca.key" -out "$work/tls/ca.pem" 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=quickstart.example' \
    -keyout "$work/tls/server.key" -out "$work/tls/server.csr" 2>/dev/null
printf 'subjectAltName=DNS:quickstart.example\nextendedKeyUsage=serverAuth\n' >"$work/tls/extensions"
openssl x509 -req -in "$work/tls/server.csr" -CA "$work/tls/ca.pem" -CAkey "$work/tls/ca.key" -CAcreateserial \
    -days 2 -extfile "$work/tls/extensions" -out "$work/tls/server.pem" 2>/dev/null
cat >"$work/www/discovery.html" <<HTML
<!DOCTYPE html><html><head>
<meta name="ac-discovery" content="quickstart.example https://quickstart.example/images/{name}-{version}-{os}-{arch}.{ext}">
<meta name="ac-discovery-pubkeys" content="quickstart.example https://quickstart.example/pubkeys.gpg">
</head></html>
HTML
"$work/bin/server/quickstart" "$work/www" "$work/tls/server.pem" "$work/tls/server.key" "$work/port" >"$work/server.log" 2>&1 &
server_pid=$!
until [ -s "$work/port" ]; do
    kill -0 "$server_pid" 2>/dev/null || { cat "$work/server.log"; exit 1; }
    sleep 0.05
done
net=(--ca-file "$work/tls/ca.pem" --connect-to "quickstart.example=127.0.0.1:$(cat "$work/port")")
done_in

step "discover it by its name"
appc discover "${net[@]}" "$name:1.0.0" >"$work/discovered.json"
done_in
grep -oE '"https://[^"]*(aci|gpg)"' "$work/discovered.json" | sort -u | tr -d '"' | show

step "fetch it before its key is trusted: refused"
refused 254 appc fetch "${net[@]}" "$name:1.0.0"

step "trust the publisher's key, for names below quickstart.example only"
appc trust add "${net[@]}" --prefix "$name" --yes >"$work/trust.log" 2>&1 || { cat "$work/trust.log"; exit 1; }
done_in
show <"$work/trust.log"

step "fetch it: signature checked, hash checked, stored"
fetched=$(appc fetch "${net[@]}" "$name:1.0.0")
[ "$fetched" = "$id" ]
done_in
appc image list | cut -c1-110 | show

step "an unsigned image is refused"
cp "$image" "$work/unsigned.aci"
refused 254 appc fetch "$work/unsigned.aci"

step "run a pod under systemd-nspawn, in a user namespace, with a program of our choice"
code=0
appc run --rm "$name:1.0.0" --user 0 --group 0 --exec /bin/sh -- -c '
    echo "uid $(id -u) inside is $(awk "{ print \$2; exit }" /proc/self/uid_map) outside"
    grep -E "^(Seccomp|CapBnd|NoNewPrivs):" /proc/self/status | tr "\t" " "
    exit 7' >"$work/run.log" 2>&1 || code=$?
done_in
show <"$work/run.log"
echo "      exit code $code"
[ "$code" -eq 7 ]

step "run a pod of two apps: the redis server and a client"
appc run --rm "$name:1.0.0" --name server --- "$name:1.0.0" --name client --exec /bin/sh -- -c '
    until redis-cli ping 2>/dev/null | grep -q PONG; do usleep 20000; done
    redis-cli set greeting "hello from a pod" && redis-cli get greeting && redis-cli shutdown nosave' >"$work/run.log" 2>&1
done_in
grep -v '^[0-9]*:[MC] ' "$work/run.log" | grep -E 'OK|hello' | show

step "run the same image under fly: executed directly, without systemd"
code=0
appc run --rm --stage1 fly "$name:1.0.0" --user 0 --group 0 --exec /usr/bin/redis-server -- --version >"$work/run.log" 2>&1 || code=$?
done_in
show <"$work/run.log"
echo "      exit code $code"
[ "$code" -eq 0 ]

step "run it detached, look at it, stop it, collect garbage"
uuid=$(appc run --detach "$name:1.0.0")
appc list >"$work/list.log"
appc stop "$uuid" >/dev/null
appc gc --grace-period 0 >/dev/null
[ -z "$(appc list | tail -n +2)" ]
done_in
cut -c1-110 "$work/list.log" | show

echo
echo "All of it in $(($(ms "$began") / 1000)) s. Try it yourself:"
echo "    .quickstart/bin/appc/appc --root .quickstart/data --config .quickstart/etc run $name:1.0.0"
