#!/bin/bash
# Takes the checks of the verifier away, one at a time, in a copy of the tree, and says which tests notice.
# Usage: mutate.sh [PATTERN]   (mutations whose name matches; default: all). Exit status 1 if one survives.
# SHARD=K/N takes every Nth mutation, beginning with the Kth, so that several runs can share the work.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy/src" "$copy/tests"
cp "$root"/{Directory.Build.props,Directory.Packages.props,NuGet.config,.editorconfig,README.md} "$copy/"
cp -r "$root/src/Directory.Build.props" "$root/src/Appc.Core" "$root/src/Appc.Signing" "$copy/src/"
cp -r "$root/tests/Directory.Build.props" "$root/tests/data" "$root/tests/Appc.Signing.Tests" "$copy/tests/"
rm -rf "$copy"/*/*/{bin,obj}
options=(-v q --nologo -p:TreatWarningsAsErrors=false -p:EnforceCodeStyleInBuild=false -p:RunAnalyzers=false)
dotnet build "$copy/tests/Appc.Signing.Tests" "${options[@]}" > "$copy/build.log" 2>&1 || { cat "$copy/build.log"; exit 2; }
bin=$copy/tests/Appc.Signing.Tests/bin/Debug/net10.0

# Builds an assembly and puts it beside the tests.
build() {
    local assembly=$1
    dotnet build "$copy/src/$assembly" --no-restore --no-dependencies "${options[@]}" > "$copy/build.log" 2>&1 || return 1
    cp "$copy/src/$assembly/bin/Debug/net10.0/$assembly.dll" "$bin/"
}

run() {
    local classes=() class
    for class; do classes+=(-class "Appc.Signing.Tests.$class"); done
    timeout 300 "$bin/Appc.Signing.Tests" -noLogo -noColor -stopOnFail "${classes[@]}" > "$copy/test.log" 2>&1
}

# The tests without gpg take seconds and notice most, those of policies what is taken away in Appc.Core; the others
# run where those are content.
tests() {
    [[ ${1:-} != Appc.Core ]] || run TrustPolicyTests StoredTrustTests || return 1
    run CheckTests VerifierTests PacketTests HostileSignatureTests TrustPolicyTests StoredTrustTests || return 1
    run KeystoreTests KeyStrengthTests DifferentialTests
}
tests || { cat "$copy/test.log"; exit 2; }

changed=
survived=0 noticed=0 count=0 pattern=${1:-.} shard=${SHARD:-1/1}
mutate() {
    local path=$copy/src/Appc.Signing/$file assembly=Appc.Signing
    [[ $file != ../Appc.Core/* ]] || assembly=Appc.Core
    count=$((count + 1))
    [[ $name =~ $pattern ]] && ((count % ${shard#*/} == ${shard%/*} % ${shard#*/})) || return 0
    cp "$path" "$copy/original"

    # The last mutation's source is as it was; its assembly is not, unless it is built anew now.
    [[ -z $changed || $changed == "$assembly" ]] || build "$changed"
    changed=$assembly
    if ! OLD=${old%$'\n'} NEW=${new%$'\n'} perl -0777 -i -pe '$c = s/\Q$ENV{OLD}\E/$ENV{NEW}/; END { $? = $c ? 0 : 3 }' "$path"; then
        echo "NOT FOUND   $name"; survived=$((survived + 1))
    elif ! build "$assembly"; then
        echo "NO BUILD    $name: $(grep -m1 'error' "$copy/build.log")"; survived=$((survived + 1))
    elif tests "$assembly"; then
        echo "NOT NOTICED $name"; survived=$((survived + 1))
    else
        echo "noticed     $name: $(grep -m1 -o 'Appc\.Signing\.Tests\.[A-Za-z]*Tests\.[A-Za-z0-9_]*' "$copy/test.log" | sed 's/^Appc.Signing.Tests.//')"
        noticed=$((noticed + 1))
    fi
    cp "$copy/original" "$path"
}

state=name
while IFS= read -r line; do
    case $state:$line in
        name:|name:\#*) ;;
        name:*) name=$line state=file ;;
        file:*) file=$line old="" new="" state=old ;;
        'old:->') state=new ;;
        old:*) old+=$line$'\n' ;;
        'new:==') state=name; mutate < /dev/null ;;
        new:*) new+=$line$'\n' ;;
    esac
done < "$here/mutations.txt"
echo "$noticed noticed, $survived not"
[ "$survived" -eq 0 ]
