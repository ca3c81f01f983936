// Opens a log folder with Go's own checksum-database code and checks it: signature, every tile reached, and
// inclusion and consistency proofs. Arguments: folder, key line, number of proofs of each kind.
package main

import (
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

func entries(folder string, size int64) [][]byte {
	var found [][]byte
	for number := int64(0); number*256 < size; number++ {
		width := min(256, size-number*256)
		tile := tlog.Tile{H: 8, L: 0, N: number, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(folder, path))
		check(err)
		for len(data) > 0 {
			length := int(data[0])<<8 | int(data[1])
			found = append(found, data[2:2+length])
			data = data[2+length:]
		}
	}
	return found
}

func main() {
	folder, key := os.Args[1], os.Args[2]
	proofs, err := strconv.ParseInt(os.Args[3], 10, 64)
	check(err)
	verifier, err := note.NewVerifier(key)
	check(err)
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	check(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, reader{folder})
	data := entries(folder, size)
	if int64(len(data)) != size {
		log.Fatalf("%d entries, signed size %d", len(data), size)
	}
	for at := int64(0); at < proofs; at++ {
		index := at * 7919 % size
		record, err := tlog.ProveRecord(size, index, hashes)
		check(err)
		check(tlog.CheckRecord(record, size, root, index, tlog.RecordHash(data[index])))
		old := index + 1
		older, err := tlog.TreeHash(old, hashes)
		check(err)
		tree, err := tlog.ProveTree(size, old, hashes)
		check(err)
		check(tlog.CheckTree(tree, size, root, old, older))
	}
	fmt.Printf("%s %d %s\n", lines[0], size, root)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
