"""The peer of `prepare`: what one would write by hand, a loop in one process.

python -m benchmarks.prepare_loop OUTPUT FILE ...

It reads CoNLL files, refuses illegal tags, splits by a hash of the sentence, counts the words and
characters of the training split, and writes shuffled, sharded, compressed tf.train.Examples. What
it lacks: bounded memory, more than one process, places of bad input, statistics, checksums.
"""

import collections
import hashlib
import json
import pathlib
import re
import sys
import unicodedata

import tensorflow as tf

SPLITS = (("train", 0.8, 4), ("eval", 0.1, 1), ("test", 0.1, 1))  # name, share, files
MAX_WORD_LENGTH = 20


def sentences(paths):
    """Yields `(tokens, tags)`."""
    for path in paths:
        tokens, tags = [], []
        with open(path, encoding="utf-8") as file:
            for line in file:
                line = line.rstrip("\n")
                if line:
                    token, tag = line.split("\t")
                    tokens.append(token)
                    tags.append(tag)
                elif tokens:
                    yield tokens, tags
                    tokens, tags = [], []
        if tokens:
            yield tokens, tags


def check(tags):
    """Raises a ValueError where tags are no BIO."""
    before = "O"
    for tag in tags:
        if tag[:2] == "I-" and before[2:] != tag[2:]:
            raise ValueError(f"{tag} may not follow {before}")
        if tag != "O" and tag[:2] not in ("B-", "I-"):
            raise ValueError(f"{tag} is no tag")
        before = tag


def digest(text, key, person):
    """Bytes of a hash."""
    return hashlib.blake2b(text.encode(), digest_size=16, key=key, person=person).digest()


def split_of(tokens):
    """The split of a sentence, by its hash: the same as in `prepare` with seed 0."""
    point = int.from_bytes(digest("\0".join(tokens), b"0", b"split")[:8], "big") / 2**64
    for name, share, _ in SPLITS:
        if point < share:
            return name
        point -= share
    return SPLITS[-1][0]


def normal(token):
    """The word that is counted."""
    return re.sub(r"\d", "0", unicodedata.normalize("NFC", token).lower())


def vocabularies(tokens_of):
    """Ids of words and of characters, from the counts of tokens."""
    words, characters = collections.Counter(), collections.Counter()
    for token, count in tokens_of.items():
        words[normal(token)] += count
        for character in unicodedata.normalize("NFC", token)[:MAX_WORD_LENGTH]:
            characters[character] += count
    return ids(words), ids(characters)


def ids(counts):
    """Dict from value to id, the most frequent first."""
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    return {value: index for index, value in enumerate(ordered, start=2)}


def write(folder, rows, num_files, encode):
    """Writes shuffled examples; returns the sum of their word ids."""
    rows.sort(key=lambda row: digest("\0".join((*row[0], *row[1])), b"0", b"order"))
    options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=4)
    folder.mkdir(parents=True, exist_ok=True)
    names = [folder / f"{n:05d}-of-{num_files:05d}.tfrecord.gz" for n in range(num_files)]
    writers = [tf.io.TFRecordWriter(str(name), options) for name in names]
    total = 0
    for number, row in enumerate(rows):
        example, word_ids = encode(*row)
        writers[number % num_files].write(example)
        total += word_ids
    for writer in writers:
        writer.close()
    return total


def main(output, *paths):
    """Prepares `paths`, prints the counts as JSON."""
    rows = {name: [] for name, _, _ in SPLITS}
    tokens_of, tags_seen = collections.Counter(), set()
    for tokens, tags in sentences(paths):
        check(tags)
        name = split_of(tokens)
        rows[name].append((tokens, tags))
        if name == "train":
            tokens_of.update(tokens)
            tags_seen.update(tags)
    words, characters = vocabularies(tokens_of)
    tag_ids = {tag: n for n, tag in enumerate(sorted(tags_seen, key=lambda t: (t != "O", t)))}
    cache = {}

    def ids_of(token):
        if token not in cache:
            spelled = unicodedata.normalize("NFC", token)[:MAX_WORD_LENGTH]
            letters = [characters.get(character, 1) for character in spelled]
            cache[token] = (token.encode(), words.get(normal(token), 1), letters)
        return cache[token]

    def encode(tokens, tags):
        encoded, word_ids, spelled = zip(*map(ids_of, tokens), strict=True)
        example = tf.train.Example()
        feature = example.features.feature
        feature["tokens"].bytes_list.value.extend(encoded)
        feature["word_ids"].int64_list.value.extend(word_ids)
        feature["tag_ids"].int64_list.value.extend([tag_ids[tag] for tag in tags])
        feature["char_ids"].int64_list.value.extend([c for letters in spelled for c in letters])
        feature["char_counts"].int64_list.value.extend(map(len, spelled))
        return example.SerializeToString(), sum(word_ids)

    sums = {
        name: write(pathlib.Path(output, name), rows[name], num_files, encode)
        for name, _, num_files in SPLITS
    }
    counts = {name: len(found) for name, found in rows.items()}
    sizes = [len(words) + 2, len(characters) + 2, len(tag_ids)]
    print(json.dumps({"sentences": counts, "word_ids": sums, "sizes": sizes}))


if __name__ == "__main__":
    main(*sys.argv[1:])
