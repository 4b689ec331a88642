# For scripts that need a board in software: starts one, with what `npm start` takes as arguments, and ends it.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(mktemp -d)
uart=$folder/uart

start_board() {
	# A process group of its own, which ends as a whole, as Ctrl-C ends it.
	set -m
	npm start -- --flash "$folder/flash" "$@" >"$uart" 2>&1 &
	board=$!
	set +m
	trap 'kill -INT -- "-$board" 2>/dev/null || true; wait "$board" || true; rm -rf "$folder"' EXIT
}

# wait_for TEXT [TIMES]
wait_for() {
	for _ in $(seq 300); do
		if [ "$(grep -c "$1" "$uart")" -ge "${2:-1}" ]; then return; fi
		sleep 0.1
	done
	cat "$uart"
	echo "not seen within 30 s: $1"
	exit 1
}
