#!/bin/sh
# What somebody does who has wasmill and nothing else: looks at it, begins a folder, writes a
# plugin, builds, tests and runs it, edits it, and sees the change in what still runs.
#
#   sh newcomer.sh LANGUAGE [WASMILL]   go, rust, c, zig or assemblyscript; by default bin/wasmill of this repository
#
# It works in a folder of its own, which is gone at the end.
set -eu
language=$1
wasmill=${2:-$(cd "$(dirname "$0")/../.." && pwd)/bin/wasmill}
work=$(mktemp -d)
pid=
trap 'test -z "$pid" || kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

step() { printf '\n$ wasmill %s\n' "$*"; "$wasmill" "$@"; }

# shows TEXT waits for a record that begins with a text, and shows it.
shows() {
	for _ in $(seq 1200); do
		if grep -m 1 -e "^$1" records; then
			return
		fi
		kill -0 "$pid" 2>/dev/null || break # it has ended
		sleep 0.05
	done
	printf 'no record begins with %s:\n' "$1"
	cat records log
	exit 1
}

step quickstart --for 100ms

step init first
cd first
step new udf shout --lang "$language"
step build shout
step test shout

printf '\n$ wasmill run plugins/shout/shout.yaml\n'
"$wasmill" run plugins/shout/shout.yaml > records 2> log &
pid=$!
shows 'HELLO '

# The edit: letters become small ones, and no more capitals.
case $language in
go)             source=main.go   edit='s/bytes.ToUpper/bytes.ToLower/' ;;
rust)           source=shout.rs  edit='s/to_ascii_uppercase/to_ascii_lowercase/' ;;
c)              source=shout.c   edit='s/? c - 32 : c/? c : c/' ;;
zig)            source=shout.zig edit='s/allocUpperString/allocLowerString/' ;;
assemblyscript) source=shout.ts  edit='s/? c - 32 : c/? c : c/' ;;
esac
printf '\n$ edit plugins/shout/%s\n' "$source"
cp "plugins/shout/$source" before
sed -e "$edit" before > "plugins/shout/$source"
diff before "plugins/shout/$source" && exit 1 # nothing was edited

cd plugins/shout # from here, for a change
step build
cd ../..
printf '\nwhat runs is the new version now:\n'
shows 'hello '

kill "$pid"
wait "$pid"
pid=
printf '\nit has ended well\n'
