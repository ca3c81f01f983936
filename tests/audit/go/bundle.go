// Checks an evidence bundle with Go's own checksum-database code: the checkpoint's signature, and for every entry that
// it is in the signed tree, by its proof or by the hash tiles. Arguments: folder, key line.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type reader struct{ folder string }

func (r reader) Height() int { return 8 }

func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// Go writes the height into the path, C2SP tlog-tiles fixes it at 8.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(r.folder, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}

func open(signed []byte, verifier note.Verifier) (int64, tlog.Hash) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return size, root
}

func byProof(folder string, index int64, entry []byte, verifier note.Verifier) {
	text, err := os.ReadFile(filepath.Join(folder, "proofs", fmt.Sprintf("%d.tlog-proof", index)))
	check(err)
	head, signed, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != fmt.Sprintf("index %d", index) {
		log.Fatalf("no proof of entry %d", index)
	}
	var path tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		check(err)
		path = append(path, hash)
	}
	size, root := open([]byte(signed), verifier)
	check(tlog.CheckRecord(path, size, root, index, tlog.RecordHash(entry)))
}

func main() {
	folder, key := os.Args[1], os.Args[2]
	verifier, err := note.NewVerifier(key)
	check(err)
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	check(err)
	size, root := open(signed, verifier)
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	check(err)
	var manifest struct{ Ranges [][2]int64 }
	check(json.Unmarshal(text, &manifest))
	data, err := os.ReadFile(filepath.Join(folder, "entries.jsonl"))
	check(err)
	entries := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	_, err = os.Stat(filepath.Join(folder, "proofs"))
	withProofs := err == nil
	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, reader{folder})
	at := 0
	for _, pair := range manifest.Ranges {
		for index := pair[0]; index <= pair[1]; index++ {
			if at == len(entries) {
				log.Fatalf("no entry %d", index)
			}
			if withProofs {
				byProof(folder, index, entries[at], verifier)
			} else {
				path, err := tlog.ProveRecord(size, index, hashes)
				check(err)
				check(tlog.CheckRecord(path, size, root, index, tlog.RecordHash(entries[at])))
			}
			at++
		}
	}
	if at != len(entries) {
		log.Fatalf("%d entries, %d named", len(entries), at)
	}
	fmt.Println(at)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
