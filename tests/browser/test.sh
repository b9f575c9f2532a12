#!/usr/bin/env bash
# The attention view in a real browser: test.sh PROGRAM [FOLDER]. PROGRAM writes the page; pictures of
# it are left in FOLDER. Chromium is driven through its WebDriver, so that a click is a click.
set -uo pipefail
export LC_ALL=C.UTF-8

http() { curl -sS --noproxy '*' --max-time 60 "$@"; }

work=$(mktemp -d)
driver=
finish() {
    [[ ! ${session:-} ]] || http -X DELETE "$session" >/dev/null
    [[ ! $driver ]] || kill "$driver" 2>/dev/null
    wait
    rm -rf "$work"
}
trap finish EXIT
failures=0 claims=0

# equal WHAT EXPECTED FOUND, and matches WHAT PATTERN FOUND
equal() {
    ((++claims))
    [[ $3 == "$2" ]] && return
    ((++failures))
    printf '%s\n  expected %s\n  found    %s\n' "$@"
}
matches() { equal "$1: /$2/" yes "$([[ $3 =~ $2 ]] && echo yes || echo "$3")"; }
give_up() {
    printf '%s\n' "$@"
    exit 1
}

page=$work/page.html
"$1" "$page" || give_up "$1 wrote no page"

# The content policy names the script by its hash; with another one the script would not run.
hash=$({ echo && sed '1,/^<script>$/d; /^<\/script>$/,$d' "$page"; } | sha256sum)
hash=$(printf "$(sed -E 's/ .*//; s/../\\x&/g' <<<"$hash")" | base64)
equal "attention_script_hash() of report/attention_script.cpp" "$hash" \
    "$(sed -nE "s/.*script-src 'sha256-([^']*)'.*/\1/p" "$page")"

for tool in chromium chromedriver curl jq; do
    command -v $tool >/dev/null && continue
    ((failures == 0)) || exit 1
    echo "skipped: this needs $tool (Debian: chromium-driver curl jq)"
    exit 77
done

# ---- the driver

export HOME=$work
chromedriver --port=0 >"$work/driver" 2>&1 &
driver=$!
for _ in {1..100}; do
    port=$(sed -nE 's/.*started successfully on port ([0-9]+).*/\1/p' "$work/driver" 2>/dev/null)
    [[ ! $port ]] || break
    sleep 0.1
done
[[ $port ]] || give_up "chromedriver does not start:" "$(<"$work/driver")"

arguments=(--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
    --disable-background-networking --disable-component-update --disable-dev-shm-usage
    --window-size=1000,1400 "--user-data-dir=$work/profile")
answer=$(jq -n '{capabilities: {alwaysMatch: {browserName: "chrome",
    "goog:loggingPrefs": {browser: "ALL", performance: "ALL"},
    "goog:chromeOptions": {args: $ARGS.positional}}}}' --args -- "${arguments[@]}" |
    http "http://localhost:$port/session" -d @-)
id=$(jq -r '.value.sessionId // empty' <<<"$answer")
[[ $id ]] || give_up "no browser:" "$answer"
session=http://localhost:$port/session/$id

ask() { http "$session/$1" -d "$2"; }  # PATH JSON
js() { ask execute/sync "$(jq -n --arg script "$1" '{$script, args: []}')" | jq -r .value; }
element() {
    ask element "$(jq -n --arg value "$1" '{using: "css selector", $value}')" |
        jq -r '.value | to_entries[0].value'
}
click() { equal "a click on $1" null "$(ask "element/$(element "$1")/click" '{}' | jq -c .value)"; }
press() { ask "element/$(element "$1")/value" "{\"text\": \"$2\"}" >/dev/null; }
point_at() {
    ask actions "$(jq -n --arg id "$(element "$1")" '{actions: [{type: "pointer", id: "mouse",
        actions: [{type: "pointerMove", x: 0, y: 0,
            origin: {"element-6066-11e4-a52e-4f735466cecf": $id}}]}]}')" >/dev/null
}
emulate() { ask goog/cdp/execute "{\"cmd\": \"Emulation.setEmulatedMedia\", \"params\": $1}" >/dev/null; }
picture() {
    [[ ! ${pictures:-} ]] ||
        http "$session/screenshot" | jq -r .value | base64 -d >"$pictures/$1.png"
}
pictures=${2:-}
left=$'\\uE012' right=$'\\uE014' down=$'\\uE015'

# ---- what a reader sees and does

ask url "{\"url\": \"file://$page\"}" >/dev/null
first=.attention  # the first view of the page
choice() { js "return document.querySelector('.choice').textContent"; }
reading() { js "return document.querySelector('.reading').textContent"; }
# The sum of the colours' strengths in a map, and the weight that the file has for a cell.
inked() { js "return [...document.querySelector('$first table').querySelectorAll('td i')]
    .reduce((sum, i) => sum + Number(i.style.opacity), 0).toFixed(3)"; }
weight() { # GROUP LAYER HEAD ROW COLUMN, all from 0, of sentence $sentence
    js "const g = window.kept.sentences[$sentence].groups[$1], bytes = atob(g.weights);
        const at = (($2 * g.heads + $3) * g.rows.length + $4) * g.columns.length + $5;
        return ((bytes.charCodeAt(2 * at) + 256 * bytes.charCodeAt(2 * at + 1)) / 65534).toFixed(4)"
}
sentence=0
js "window.kept = JSON.parse(document.querySelector('.attention').dataset.view)" >/dev/null

picture light
equal "title: no script of the corpus ran" Attention "$(js 'return document.title')"
equal "a picture of every head" 144 "$(js "return document.querySelectorAll('canvas').length")"
equal "none of them is blank" 0 "$(js "return [...document.querySelectorAll('canvas')].filter((c) =>
    !c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((x) => x)).length")"
equal "cells of both maps" "400 20" "$(js "return [...document.querySelectorAll('table')]
    .map((t) => t.querySelectorAll('td').length).join(' ')")"
equal "the first choice" "Cross, layer 6, head 1" "$(choice)"
equal "one map alone needs no choice" 0 \
    "$(js "return document.querySelectorAll('.attention')[1].querySelectorAll('input').length")"
equal "what is not finite is crossed out" 1 "$(js "return document.querySelectorAll('.missing').length")"

before=$(inked)
click "$first label[title='Decoder, layer 2, head 3']"
equal "a click on a head chooses it" "Decoder, layer 2, head 3" "$(choice)"
equal "and changes the map" changed "$([[ $(inked) == "$before" ]] && echo the same || echo changed)"
point_at "$first tbody tr:nth-child(5) td:nth-child(4)" # row 4, column 2
equal "pointing shows both tokens and the weight" "vendu → peintre: $(weight 1 1 2 4 2)" "$(reading)"
equal "so does the cell's title" "vendu → peintre: $(weight 1 1 2 4 2)" \
    "$(js "return document.querySelector('.attention table').rows[5].cells[3].title")"
equal "a decoder does not look ahead" 0 "$(js "return [...document.querySelector('table').tBodies[0].rows]
    .flatMap((row, r) => [...row.cells].slice(r + 2)).filter((td) => !td.title.endsWith(' 0.0000')).length")"

point_at h1
press "$first table" "$down$right"
equal "arrow keys move through the map" "ses → a: $(weight 1 1 2 5 3)" "$(reading)"
press "$first input:checked" "$right"
equal "and from head to head" "Decoder, layer 2, head 4" "$(choice)"
equal "where the same cell is read" "ses → a: $(weight 1 1 3 5 3)" "$(reading)"
press "$first input:checked" "$left$left"
equal "and back" "Decoder, layer 2, head 2" "$(choice)"
picture chosen

press "$first select" "$down"
sentence=1
equal "another sentence, the same head" "Decoder, layer 2, head 2" "$(choice)"
equal "another map" 64 "$(js "return document.querySelectorAll('.attention table')[0].querySelectorAll('td').length")"
click "$first label[title='Encoder, layer 1, head 1']"
equal "text of a corpus stays text" '<b>bold</b>|</script>|<script>document.title='\''broken'\''</script>|"'\''&amp;|␣|∅|↵|<img src=x onerror="document.title='\''broken'\''">|Ünïcödé|日本語|�' \
    "$(js "return [...document.querySelector('table').tHead.rows[0].cells].slice(1).map((th) => th.textContent).join('|')")"
equal "and makes no element" 0 "$(js "return document.querySelectorAll('.attention :is(img, script, b:not(.reading b))').length")"
picture hostile

colour() { js "const c = document.querySelector('canvas');
    return c.getContext('2d').getImageData(0, 0, 1, 1).data.slice(0, 3).join()"; }
day=$(colour)
emulate '{"features": [{"name": "prefers-color-scheme", "value": "dark"}]}'
sleep 0.3
equal "dark pictures have another colour" changed "$([[ $(colour) == "$day" ]] && echo "$day" || echo changed)"
js 'document.querySelector("select").selectedIndex = 0;
    document.querySelector("select").dispatchEvent(new Event("change"))' >/dev/null
picture dark
emulate '{"features": []}'

ask print '{"background": true}' | jq -r .value | base64 -d >"$work/page.pdf"
[[ ! $pictures ]] || cp "$work/page.pdf" "$page" "$pictures"
equal "it prints" "%PDF" "$(head -c 4 "$work/page.pdf")"
pages=$(grep -ac '/Type */Page\b' "$work/page.pdf")
matches "on a few pages" '^[1-3]$' "$pages"
emulate '{"media": "print"}'
equal "with the pictures of all heads" 144 "$(js "return [...document.querySelectorAll('canvas')].filter((c) => c.checkVisibility()).length")"
equal "and the chosen map" true "$(js "return document.querySelector('table').checkVisibility()")"
equal "without a hint that paper cannot follow" 0 "$(js "return [...document.querySelectorAll('.hint')].filter((h) => h.checkVisibility()).length")"
emulate '{"media": ""}'

# ---- what must not happen

# But for what the browser says to our own looking at the pictures.
equal "nothing on the console" "[]" "$(ask se/log '{"type": "browser"}' |
    jq -c '[.value[] | select(.message | contains("willReadFrequently") | not)]')"
equal "nothing but the page is asked for" "file://$page" \
    "$(ask se/log '{"type": "performance"}' | jq -r '[.value[].message | fromjson.message |
        select(.method == "Network.requestWillBeSent").params.request.url |
        select(test("^(data|chrome):") | not)] | unique | .[]')"
js 'const foreign = document.createElement("script");
    foreign.textContent = "document.title = \"broken\"";
    document.body.append(foreign)' >/dev/null
equal "no other script runs" Attention "$(js 'return document.title')"

echo "$((claims - failures)) passed, $failures failed"
((failures == 0))
