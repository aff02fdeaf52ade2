"""Scripts that put no spaces between words, as the inside of a regular expression's brackets."""

# Thai, Lao, Myanmar and Khmer: a zero-width space may stand between two of their words.
UNSPACED_SYLLABLES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
# Kana and Han, also halfwidth kana and 々: a zero-width space between them means nothing.
UNSPACED_SIGNS = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff"
)
UNSPACED = UNSPACED_SYLLABLES + UNSPACED_SIGNS
