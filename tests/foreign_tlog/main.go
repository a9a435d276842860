// Foreign_tlog checks a city's log as somebody who shares no code with it: it reads the signed
// checkpoint and the tiles, recomputes the root from the hash tiles and again from the entry
// bundles, and prints what it found as one JSON object.
//
//	foreign_tlog -vkey KEY [-old CHECKPOINT-FILE] URL-OR-DIRECTORY
//
// The signature is checked by sumdb/note, the hashing is sumdb/tlog's. That package's own tile
// reader asks for tile/8/..., and its ParseTree refuses a C2SP checkpoint, so paths and the three
// lines of the checkpoint are handled here. Exit code 0: the log holds; 1: it does not; 2: usage.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	maxBytes   = 1 << 25
)

// report is what the program prints.
type report struct {
	Holds           bool   `json:"holds"`
	Error           string `json:"error,omitempty"`
	Origin          string `json:"origin,omitempty"`
	TreeSize        int64  `json:"tree_size"`
	CheckpointRoot  string `json:"checkpoint_root,omitempty"`
	RootFromTiles   string `json:"root_from_tiles,omitempty"`
	RootFromEntries string `json:"root_from_entries,omitempty"`
	TilesRead       int    `json:"tiles_read"`
	EntriesRead     int64  `json:"entries_read"`
	InclusionProofs int64  `json:"inclusion_proofs"`
	OldSize         int64  `json:"old_size,omitempty"`
	Consistent      bool   `json:"consistent_with_old"`
}

// fetchFunc reads a file below the log's prefix.
type fetchFunc func(path string) ([]byte, error)

func newFetch(base string) fetchFunc {
	if !strings.Contains(base, "://") {
		return func(path string) ([]byte, error) {
			return os.ReadFile(filepath.Join(base, filepath.FromSlash(path)))
		}
	}
	client := &http.Client{Timeout: 20 * time.Second}
	return func(path string) ([]byte, error) {
		answer, err := client.Get(strings.TrimSuffix(base, "/") + "/" + path)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: status %d", path, answer.StatusCode)
		}
		return io.ReadAll(io.LimitReader(answer.Body, maxBytes))
	}
}

// c2spPath is the path of tlog-tiles: that of tlog without its height.
func c2spPath(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", tile.H), "tile/", 1)
}

func entriesPath(index, width int64) string {
	tile := tlog.Tile{H: tileHeight, L: -1, N: index, W: int(width)}
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data/", tileHeight), "tile/entries/", 1)
}

type tileReader struct {
	fetch fetchFunc
	read  int
}

func (r *tileReader) Height() int { return tileHeight }

func (r *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		content, err := r.fetch(c2spPath(tile))
		if err != nil {
			return nil, err
		}
		data[i] = content
		r.read++
	}
	return data, nil
}

func (r *tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

// openCheckpoint checks the signature and reads the three lines.
func openCheckpoint(message []byte, vkey string) (string, tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", tlog.Tree{}, err
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return "", tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return "", tlog.Tree{}, errors.New("checkpoint: origin is not the key's name")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return "", tlog.Tree{}, errors.New("checkpoint: size")
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return "", tlog.Tree{}, errors.New("checkpoint: root")
	}
	return lines[0], tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

// readEntries reads every entry bundle of a log of the given size.
func readEntries(fetch fetchFunc, size int64) ([][]byte, error) {
	var entries [][]byte
	for first := int64(0); first < size; first += tileWidth {
		width := min(size-first, tileWidth)
		path := entriesPath(first/tileWidth, width)
		data, err := fetch(path)
		if err != nil {
			return nil, err
		}
		for range width {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s: cut off", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries = append(entries, data[2:end])
			data = data[end:]
		}
		if len(data) != 0 {
			return nil, fmt.Errorf("%s: bytes left over", path)
		}
	}
	return entries, nil
}

// rootOfEntries computes the root from the entries alone and compares every level-0 tile with it.
func rootOfEntries(fetch fetchFunc, entries [][]byte) (tlog.Hash, error) {
	var stored []tlog.Hash
	var leaves bytes.Buffer
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for i, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, reader)
		if err != nil {
			return tlog.Hash{}, err
		}
		stored = append(stored, hashes...)
		leaf := tlog.RecordHash(entry)
		leaves.Write(leaf[:])
	}
	for first := 0; first < len(entries); first += tileWidth {
		end := min(first+tileWidth, len(entries))
		tile := tlog.Tile{H: tileHeight, L: 0, N: int64(first / tileWidth), W: end - first}
		served, err := fetch(c2spPath(tile))
		if err != nil {
			return tlog.Hash{}, err
		}
		if !bytes.Equal(served, leaves.Bytes()[first*tlog.HashSize:end*tlog.HashSize]) {
			return tlog.Hash{}, fmt.Errorf("%s: not the hashes of the entries", c2spPath(tile))
		}
	}
	return tlog.TreeHash(int64(len(entries)), reader)
}

// proveSome builds inclusion proofs from the tiles for leaves spread over the log and checks them.
func proveSome(hashes tlog.HashReader, tree tlog.Tree, entries [][]byte) (int64, error) {
	step := max(1, tree.N/64)
	proofs := int64(0)
	for index := int64(0); index < tree.N; index += step {
		proof, err := tlog.ProveRecord(tree.N, index, hashes)
		if err != nil {
			return proofs, err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entries[index])); err != nil {
			return proofs, err
		}
		proofs++
	}
	return proofs, nil
}

func check(fetch fetchFunc, vkey, oldFile string) (report, error) {
	var found report
	message, err := fetch("checkpoint")
	if err != nil {
		return found, err
	}
	origin, tree, err := openCheckpoint(message, vkey)
	if err != nil {
		return found, err
	}
	found.Origin, found.TreeSize, found.CheckpointRoot = origin, tree.N, hex(tree.Hash)
	entries, err := readEntries(fetch, tree.N)
	if err != nil {
		return found, err
	}
	found.EntriesRead = int64(len(entries))
	fromEntries, err := rootOfEntries(fetch, entries)
	if err != nil {
		return found, err
	}
	found.RootFromEntries = hex(fromEntries)
	if fromEntries != tree.Hash {
		return found, errors.New("the entries lead to another root than the checkpoint's")
	}
	tiles := &tileReader{fetch: fetch}
	// TileHashReader checks every tile it reads against the tree head.
	hashes := tlog.TileHashReader(tree, tiles)
	fromTiles, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return found, err
	}
	found.RootFromTiles = hex(fromTiles)
	if fromTiles != tree.Hash {
		return found, errors.New("the tiles lead to another root than the checkpoint's")
	}
	if found.InclusionProofs, err = proveSome(hashes, tree, entries); err != nil {
		return found, err
	}
	found.TilesRead = tiles.read
	if oldFile != "" {
		err = checkOld(&found, hashes, tree, vkey, oldFile)
	}
	return found, err
}

// checkOld checks that the log begins with the tree of an older checkpoint.
func checkOld(found *report, hashes tlog.HashReader, tree tlog.Tree, vkey, oldFile string) error {
	message, err := os.ReadFile(oldFile)
	if err != nil {
		return err
	}
	_, old, err := openCheckpoint(message, vkey)
	if err != nil {
		return err
	}
	found.OldSize = old.N
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return err
	}
	found.Consistent = true
	return nil
}

func hex(hash tlog.Hash) string { return fmt.Sprintf("%x", hash[:]) }

func main() {
	vkey := flag.String("vkey", "", "note verifier key of the log")
	oldFile := flag.String("old", "", "file with an older checkpoint of the same log")
	flag.Parse()
	if flag.NArg() != 1 || *vkey == "" {
		fmt.Fprintln(os.Stderr, "usage: foreign_tlog -vkey KEY [-old CHECKPOINT-FILE] URL-OR-DIRECTORY")
		os.Exit(2)
	}
	found, err := check(newFetch(flag.Arg(0)), *vkey, *oldFile)
	found.Holds = err == nil
	if err != nil {
		found.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		os.Exit(2)
	}
	if !found.Holds {
		os.Exit(1)
	}
}
