"""Learns the tokenizer's vocabulary from the training texts.

The most frequent words get a token each. All other words are read in pieces. The pieces are learned
mainly from these other words, so that few tokens go to fragments of frequent words.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from tokenizers import Tokenizer as TrainableTokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.trainers import WordPieceTrainer

from models.tokenizer import CONTINUATION, PAD_TOKEN, UNKNOWN_TOKEN, Tokenizer

PIECE_SHARE = 0.15  # of the vocabulary
MIN_COUNT = 2  # a word that occurs once teaches no more than its pieces
MIN_PIECE_COUNT = 30  # a piece occurs in different words, which need more examples
ALPHABET_LIMIT = 4_000  # characters; enough for Chinese
LONGEST_WORD = 40  # characters; longer "words" are links and noise, read in pieces


def learn_vocabulary(
    texts: Iterable[str], *, size: int, known: Tokenizer | None = None
) -> Tokenizer:
    """Return a tokenizer of at most `size` tokens learned from `texts`.

    It finds and normalises words as `known` does; without one, as the latest normalisation does.
    """
    splitter = known or Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN])
    counts = Counter(word for text in texts for word in splitter.words(text))
    pieces = int(size * PIECE_SHARE)
    words = _frequent_words(counts, limit=size - pieces - 2)
    known = set(words)
    # Frequent words count once; their characters then become pieces for other words.
    rest = {word: 1 if word in known else count for word, count in counts.items()}
    learned = [piece for piece in _learn_pieces(rest, size=pieces) if piece not in known]
    return splitter.with_tokens([PAD_TOKEN, UNKNOWN_TOKEN, *words, *learned])


def extend_vocabulary(known: Tokenizer, learned: Tokenizer) -> Tokenizer:
    """Return `known` with all its ids, and with the new learned tokens after them."""
    old = set(known.tokens)
    new = (token for token in learned.tokens if token not in old)
    return known.with_tokens([*known.tokens, *new])


def _frequent_words(counts: Counter[str], *, limit: int) -> list[str]:
    """Return the most frequent words; ties in alphabetical order, equal in all runs."""
    eligible = ((w, n) for w, n in counts.items() if n >= MIN_COUNT and len(w) <= LONGEST_WORD)
    ranked = sorted(eligible, key=lambda item: (-item[1], item[0]))
    return [word for word, _ in ranked[:limit]]


def _learn_pieces(counts: dict[str, int], *, size: int) -> list[str]:
    """Return the characters and the most useful pieces of the words in `counts`, sorted."""
    characters = _frequent_characters(counts, limit=min(ALPHABET_LIMIT, size // 2))
    learner = TrainableTokenizer(WordPiece())
    learner.pre_tokenizer = WhitespaceSplit()
    trainer = WordPieceTrainer(
        vocab_size=size,
        min_frequency=MIN_PIECE_COUNT,
        initial_alphabet=characters,
        limit_alphabet=len(characters),
        # Named beforehand: the trainer would number characters in an order that differs from run
        # to run, and it breaks ties by number.
        special_tokens=_single_pieces(counts, characters=set(characters)),
        continuing_subword_prefix=CONTINUATION,
        show_progress=False,
    )
    learner.train_from_iterator(_repeated(counts), trainer)
    return sorted(learner.get_vocab())


def _frequent_characters(counts: dict[str, int], *, limit: int) -> list[str]:
    """Return the most frequent characters; ties in alphabetical order."""
    found: Counter[str] = Counter()
    for word, count in counts.items():
        for character in word:
            found[character] += count
    return sorted(found, key=lambda character: (-found[character], character))[:limit]


def _single_pieces(counts: dict[str, int], *, characters: set[str]) -> list[str]:
    """Return the characters at the start and inside of words as pieces, sorted."""
    first = {word[0] for word in counts} & characters
    inside = {character for word in counts for character in word[1:]} & characters
    return sorted(first) + sorted(CONTINUATION + character for character in inside)


def _repeated(counts: dict[str, int]) -> Iterator[str]:
    """Yield each word as often as `counts` says."""
    for word in sorted(counts):
        yield " ".join([word] * counts[word])
