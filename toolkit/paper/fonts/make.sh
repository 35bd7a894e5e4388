#!/bin/sh
# Makes the two font files of this folder from npm package @expo-google-fonts/noto-sans-jp 0.4.3 (Noto Sans JP 2.004,
# SIL Open Font License 1.1). Needs npm, and Python with fonttools. Kept: the characters of code page 932 (JIS X 0208 with
# the NEC and IBM extensions, in which Japanese offices write names), kana, Latin-1 and a few signs; plain outlines,
# no hinting, no layout tables (the page breaks lines itself and sets one glyph a character).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
cd "$work"
npm pack @expo-google-fonts/noto-sans-jp@0.4.3
tar xzf expo-google-fonts-noto-sans-jp-0.4.3.tgz
python3 - > chars.txt <<'P'
s = set(range(0x20, 0x7F)) | set(range(0xA0, 0x100)) | set(range(0x3000, 0x3100)) | set(range(0x31F0, 0x3200))
s |= set(range(0x2010, 0x2027)) | set(range(0x2460, 0x2474)) | set(range(0xFF00, 0xFFF0)) | set(map(ord, "✓△▲√〒𠮷塚晴"))
for high in range(0x81, 0xFD):
    for low in range(0x40, 0xFD):
        try:
            s.update(map(ord, bytes([high, low]).decode("cp932")))
        except UnicodeDecodeError:
            pass
print("".join(map(chr, sorted(c for c in s if not 0xE000 <= c < 0xF900))), end="")
P
for face in 400Regular:Regular 700Bold:Bold; do
    pyftsubset "package/${face%%:*}/NotoSansJP_${face%%:*}.ttf" --text-file=chars.txt \
        --output-file="$here/NotoSansJP-${face##*:}.ttf" --layout-features='' --no-hinting --notdef-outline \
        --name-IDs='*' --drop-tables+=GSUB,GPOS,GDEF,BASE,vhea,vmtx,VORG,STAT,DSIG
done
cp package/LICENSE_FONT "$here/OFL.txt"
