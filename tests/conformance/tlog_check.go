// Command tlog_check reads what tlog_sample wrote with golang.org/x/mod/sumdb/{note,tlog}: a
// verifier that is not ours must accept our notes, roots and proofs, and refuse them changed.
package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var checks int

func must(ok bool, what string) {
	checks++
	if !ok {
		fmt.Println("FAIL", what)
		os.Exit(1)
	}
}

func read(name string) []byte {
	text, err := os.ReadFile(filepath.Join(os.Args[1], name))
	must(err == nil, "reading "+name)
	return text
}

func hash(text string) (hash tlog.Hash) {
	decoded, err := base64.StdEncoding.DecodeString(text)
	must(err == nil && len(decoded) == len(hash), "hash "+text)
	copy(hash[:], decoded)
	return hash
}

func hashes(lines []string) (all []tlog.Hash) {
	for _, line := range lines {
		all = append(all, hash(line))
	}
	return all
}

func open(text []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(text, note.VerifierList(verifier))
	must(err == nil, "note: "+fmt.Sprint(err))
	lines := strings.Split(opened.Text, "\n")
	var size int64
	_, err = fmt.Sscan(lines[1], &size)
	must(err == nil && lines[0] == verifier.Name(), "text of the checkpoint")
	return tlog.Tree{N: size, Hash: hash(lines[2])}
}

type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) (found []tlog.Hash, err error) {
	for _, index := range indexes {
		found = append(found, s[index])
	}
	return found, nil
}

func exported(size int64) tlog.Hash {
	var all stored
	var count int64
	for _, line := range bytes.Split(read("export.jsonl"), []byte("\n")) {
		if entry, is := bytes.CutPrefix(line, []byte(`{"entry":`)); is {
			entry = entry[:len(entry)-len(`,"leaf":""}`)-64]
			more, err := tlog.StoredHashes(count, entry, all)
			must(err == nil, "entry")
			all = append(all, more...)
			count++
		}
	}
	must(count == size, "number of entries")
	root, err := tlog.TreeHash(size, all)
	must(err == nil, "tree")
	return root
}

func main() {
	verifier, err := note.NewVerifier(string(read("vkey")))
	must(err == nil, "vkey")
	checkpoint := read("checkpoint")
	tree := open(checkpoint, verifier)
	old := open(read("old_checkpoint"), verifier)
	must(exported(tree.N) == tree.Hash, "root of the export")

	consistency := hashes(strings.Split(strings.TrimSpace(string(read("consistency"))), "\n"))
	must(tlog.CheckTree(consistency, tree.N, tree.Hash, old.N, old.Hash) == nil, "consistency")
	must(tlog.CheckTree(consistency[1:], tree.N, tree.Hash, old.N, old.Hash) != nil, "cut consistency accepted")

	receipt, signed, _ := strings.Cut(string(read("receipt.tlog-proof")), "\n\n")
	lines := strings.Split(receipt, "\n")
	var index int64
	_, err = fmt.Sscanf(lines[1], "index %d", &index)
	must(err == nil && lines[0] == "c2sp.org/tlog-proof@v1" && signed == string(checkpoint), "receipt")
	leaf := tlog.RecordHash(read("entry"))
	proof := hashes(lines[2:])
	must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf) == nil, "inclusion")
	must(tlog.CheckRecord(proof, tree.N, tree.Hash, index+1, leaf) != nil, "inclusion elsewhere accepted")

	_, err = note.Open(bytes.Replace(checkpoint, []byte("\n300\n"), []byte("\n301\n"), 1), note.VerifierList(verifier))
	must(err != nil, "changed checkpoint accepted")
	fmt.Println("go:", checks, "checks")
}
