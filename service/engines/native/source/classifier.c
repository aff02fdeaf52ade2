// What is made of the states of a text: the running pool, the n-grams, the head, probabilities.
// Vectors have 8 floats here on every processor, so that sums are added in the same order.
#include <math.h>
#include <string.h>

#include "gatewise.h"

typedef float Eight __attribute__((vector_size(32), aligned(4)));

void pool_state(const float* h, float* maximum, float* mean, float count, int width) {
  const float share = 1.f / count;
  for (int u = 0; u < width; u++) {
    maximum[u] = h[u] > maximum[u] ? h[u] : maximum[u];
    mean[u] += (h[u] - mean[u]) * share;
  }
}

// ---- n-grams: models/ngrams.py has the definition

static uint64_t hash(const int32_t* id, int order) {
  static const uint64_t multipliers[ORDERS][ORDERS] = {
      {1}, {1000003, 998244353}, {506952113, 40503001, 1540483477}};
  uint64_t sum = 0;
  for (int back = 0; back <= order; back++) sum += multipliers[order][back] * (uint64_t)id[-back];
  return sum;
}

// Whether the n-grams that end here, by order, have not ended within the WINDOW ids before.
static void find_new(const int32_t* id, int32_t* is_new) {
  int32_t one = 0, two = 0, three = 0;
  for (int d = 1; d <= WINDOW; d++) {
    const int32_t same = id[-d] == id[0], pair = same & (id[-d - 1] == id[-1]);
    one |= same;
    two |= pair;
    three |= pair & (id[-d - 2] == id[-2]);
  }
  is_new[0] = !one;
  is_new[1] = !two;
  is_new[2] = !three;
}

void add_ngrams(const Model* model, const int32_t* id, float* mean, float count) {
  int32_t is_new[ORDERS];
  const int8_t* row[ORDERS];
  find_new(id, is_new);
  for (int order = 0; order < ORDERS; order++)
    row[order] =
        model->ngrams + hash(id, order) % (uint64_t)model->buckets * (uint64_t)model->columns;
  for (int column = 0; column < model->columns; column++) {
    int32_t sum = 0;
    for (int order = 0; order < ORDERS; order++) {
      const int32_t root = row[order][column];
      if (is_new[order]) sum += root * (root < 0 ? -root : root);
    }
    mean[column] += ((float)sum * model->ngram_scale - mean[column]) / count;
  }
}

// ---- the head

static float dot(const float* a, const float* b, int width) {
  Eight sum = {0};
  for (int i = 0; i < width; i += 8) {
    Eight x, y;
    memcpy(&x, a + i, sizeof x);
    memcpy(&y, b + i, sizeof y);
    sum += x * y;
  }
  return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

// What the n-grams add to a logit; two classes may share one column.
static float from_ngrams(const Model* model, const float* ngrams, float count, int label) {
  if (!model->ngrams) return 0.f;
  if (model->columns == model->labels) return ngrams[label] * sqrtf(count);
  return ngrams[0] * sqrtf(count) * (label ? 0.5f : -0.5f);
}

static void softmax(float* logits, int labels) {
  double highest = logits[0], sum = 0;
  for (int k = 1; k < labels; k++) highest = logits[k] > highest ? logits[k] : highest;
  for (int k = 0; k < labels; k++) sum += exp(logits[k] - highest);
  for (int k = 0; k < labels; k++) logits[k] = (float)(exp(logits[k] - highest) / sum);
}

void decide(const Model* model, const float* maximum, const float* mean, const float* h,
            const float* ngrams, float count, float* probabilities) {
  const int width = model->layer[model->layers - 1].width;
  for (int label = 0; label < model->labels; label++) {
    const float* kernel = model->head + (size_t)label * 3 * width;
    probabilities[label] = dot(maximum, kernel, width) + dot(mean, kernel + width, width) +
                           dot(h, kernel + 2 * width, width) + model->bias[label] +
                           from_ngrams(model, ngrams, count, label);
  }
  if (model->exclusive) {
    softmax(probabilities, model->labels);
  } else {
    for (int label = 0; label < model->labels; label++)
      probabilities[label] = (float)(1 / (1 + exp(-(double)probabilities[label])));
  }
}
