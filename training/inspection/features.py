"""Features of texts for a linear model: words, pairs of words and pieces of words."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from training.inspection.words import Words

LEAST_TEXTS = 2  # that must hold a feature; one of a single text says nothing about others
PIECES = (2, 5)  # characters of a piece of a word


def weigh_words(words: Words) -> csr_array:
    """Return the TF-IDF weights of words and of pairs of neighbouring words.

    Inverse document frequencies are those of all texts; they leak no labels to a model.

    Returns:
        Shape (texts, features), each row of Euclidean length 1.
    """
    texts = _number_texts(words)
    ids = words.ids.astype(np.int64)
    same_text = texts[1:] == texts[:-1]
    pairs = (ids[:-1] * len(words.spellings) + ids[1:])[same_text]
    shape = len(words)
    return _weigh(
        hstack([_count(texts, ids, rows=shape), _count(texts[1:][same_text], pairs, rows=shape)])
    )


def weigh_pieces(words: Words) -> csr_array:
    """Return the TF-IDF weights of the pieces of words, with marked word ends.

    Pieces are cut once from each different word, not from each text.

    Returns:
        Shape (texts, features), each row of Euclidean length 1.
    """
    shape = (len(words), len(words.spellings))
    held = (_number_texts(words), words.ids.astype(np.int32))
    counts = coo_array((np.ones(len(words.ids)), held), shape=shape).tocsr()
    vectorizer = CountVectorizer(analyzer="char", ngram_range=PIECES, lowercase=False)
    pieces = vectorizer.fit_transform(f" {word} " for word in words.spellings)
    return _weigh(counts @ csr_array(pieces))


def _number_texts(words: Words) -> NDArray[np.int32]:
    """Return the text of each word, in the 32 bits that liblinear requires of indices."""
    return np.repeat(np.arange(len(words), dtype=np.int32), words.counts)


def _count(texts: NDArray[np.int32], features: NDArray[np.int64], *, rows: int) -> csr_array:
    """Return the count of each feature in each text, shape (rows, different features)."""
    known, columns = np.unique(features, return_inverse=True)
    held = (texts, columns.astype(np.int32))
    counts = coo_array((np.ones(len(texts)), held), shape=(rows, len(known)))
    return _drop_rare(counts.tocsr())


def _drop_rare(counts: csr_array) -> csr_array:
    return counts[:, np.bincount(counts.indices, minlength=counts.shape[1]) >= LEAST_TEXTS]


def _weigh(counts: csr_array) -> csr_array:
    return csr_array(TfidfTransformer(sublinear_tf=True).fit_transform(_drop_rare(counts.tocsr())))
