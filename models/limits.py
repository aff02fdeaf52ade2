"""Bounds on a version, so that whoever made it, opening it takes bounded memory and time.

They are far above what a training writes. docs/model-format.md states them.
"""

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30

# Files
MOST_FILES = 1_000
DEEPEST_FOLDER = 8
LONGEST_PATH = 255  # characters, within the version
LARGEST_VERSION = 4 * GB  # all of its files
LARGEST_METADATA = 1 * MB
LARGEST_TOKENIZER = 16 * MB
LARGEST_GOLDEN = 1 * MB
LARGEST_LABELS = 1 * MB  # the file of a model's version labels
LARGEST_ONNX = 1 * GB
LARGEST_GRAPH = 64 * MB  # saved_model.pb
LARGEST_INDEX = 64 * KB  # of the variables

# Sizes
MOST_TOKENS = 500_000  # of a vocabulary
MOST_VARIABLES = 1_000
MOST_LAYERS = 64
MOST_UNITS = 16_384  # of a layer, and numbers of a token's vector
MOST_LABELS = 10_000
MOST_BUCKETS = 1 << 28
LARGEST_PACKED = 2 * GB  # the table of token inputs that the native engine makes
MOST_MULTIPLICATIONS = 1 << 28  # of a token
MOST_WORK = 1 << 40  # multiplications before the first answer

# Values. Sums of products of such weights are finite in single precision, so probabilities are.
LARGEST_WEIGHT = 1e6
