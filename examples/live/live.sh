#!/bin/sh
# Runs the pipeline of this folder and changes it meanwhile. Each step says what it
# does, and shows the line of the log that tells what became of it.
#
#   sh live.sh [WASMILL [PLUGINS]]   by default bin/wasmill and plugins of this repository
set -eu
here=$(cd "$(dirname "$0")" && pwd)
wasmill=${1:-$here/../../bin/wasmill}
plugins=${2:-$here/../../plugins}
cd "$here"

rm -rf work && mkdir -p work/out work/plugins
cp pipeline.yaml work/
cp "$plugins/grep.wasm" work/plugins/grep.wasm

say() { printf '\n%s\n' "$*"; }

# shows TEXT waits for a new line of the log with a text, and shows it.
seen=0
shows() {
	for _ in $(seq 1200); do
		line=$(tail -n +$((seen + 1)) work/log | grep -n -m 1 -e "$1" || true)
		if [ -n "$line" ]; then
			seen=$((seen + ${line%%:*}))
			printf '  %s\n' "${line#*:}"
			return
		fi
		sleep 0.05
	done
	printf '  the log does not tell of: %s\n' "$1"
	cat work/log
	kill "$pid"
	exit 1
}

# edit SED changes the pipeline file as an editor does: a new file takes its name.
edit() {
	sed -e "$1" work/pipeline.yaml > work/pipeline.yaml.new
	mv work/pipeline.yaml.new work/pipeline.yaml
}

say "It starts:"
"$wasmill" run work/pipeline.yaml --set plugins.dir=work/plugins --set data.dir=work/data --set admin.listen=off 2> work/log &
pid=$!
shows 'begins with nothing'

say "The interval of checkpoints changes, from 10 s to 200 ms, while everything runs:"
edit 's/interval: 10s/interval: 200ms/'
shows 'a change is in force'

say "A mistake is refused, and says where it is:"
edit 's/interval: 200ms/intervall: 200ms/'
shows 'a change is refused'
edit 's/intervall/interval/'

say "The filter gets another parameter. Its new instances take over while records flow:"
edit 's/"user":1/"user":2/'
shows 'a change is in force'

say "One more sink. A new generation of the graph goes on from a checkpoint:"
edit 's/^edges:/  - {name: all, sink: drop}\nedges:\n  - {from: orders, to: all}/'
shows 'a change is in force'

say "It pauses: the sources are not read, the rest goes through."
edit 's/^name: live/name: live\nphase: paused/'
shows 'a change is in force'

say "A broken plugin is dropped, and refused:"
cp work/plugins/grep.wasm work/kept
head -c 1000 work/kept > work/plugins/grep.wasm
shows 'a change is refused'

say "Another version of it is dropped, which differs by a section with its name, and taken:"
{ cat work/kept; printf '\000\003\001v2'; } > work/plugins/grep.wasm
shows 'a change is in force'

say "The version before is put back:"
"$wasmill" plugin rollback grep --set plugins.dir=work/plugins --set data.dir=work/data > work/rolled || { kill "$pid"; exit 1; }
sed -e 's/^/  /' work/rolled
shows 'a change is in force'

say "It goes on:"
edit '/^phase: paused/d'
shows 'a change is in force'

say "Until the orders end:"
wait "$pid"
shows '"last checkpoint'
say "Each order was counted once:"
sed -e 's/.*"count":\([0-9]*\).*/\1/' work/out/totals.ndjson | awk '{ n += $1 } END { print "  " n " orders" }'
