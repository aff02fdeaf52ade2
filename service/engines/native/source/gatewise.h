// A classifier as Python hands it over: pointers into arrays that Python keeps alive.
// service/engines/native/library.py has the same structures for ctypes, in the same order.
#pragma once
#include <stdint.h>

#define EXPORTED __attribute__((visibility("default")))

enum { SIMPLE = 1, GRU = 3, LSTM = 4 };     // a cell, by its blocks of columns
enum { INT16 = 2, INT8 = 1, FLOAT32 = 4 };  // a precision, by its bytes

// Weights of a product h U + b: columns lie in blocks, one for each gate and for the candidate.
typedef struct {
  const void* weights;  // (width / LANES, rows / group, blocks, LANES, group), group: 4 / precision
  const int32_t* start;  // (blocks, width): where sums of integers begin
  const float* scale;    // (blocks, width): what 1 in such a sum is worth
  const float* bias;     // (blocks, width)
  int32_t rows;          // numbers that are multiplied, padded to whole vectors
} Matrix;

typedef struct {
  int32_t units, width;      // width: units padded to whole vectors
  const void* table;         // x W + b of each token, (vocabulary, blocks, width), or null:
  const float* table_scale;  // what 1 in a column of a table of 16 bits is worth, (blocks, width)
  Matrix kernel;             // then x is the state of the layer below
  Matrix recurrent;
} Layer;

typedef struct {
  int32_t cell, precision, layers, vocabulary;
  const Layer* layer;
  int32_t labels, exclusive;  // exclusive: softmax in place of the logistic function
  const float* head;          // (labels, 3 * width): of maximum, mean and last state
  const float* bias;          // (labels)
  const int8_t* ngrams;       // (buckets, columns), or null
  int64_t buckets;
  int32_t columns;
  float ngram_scale;
} Model;

#define ORDERS 3
#define WINDOW 128                        // ids after which an n-gram counts again
#define REMEMBERED (WINDOW + ORDERS - 1)  // ids before a token that its n-grams need

// ---- classifier.c: what is made of the states

// One more state of the last layer, the count-th of its text: maximum and running mean.
void pool_state(const float* h, float* maximum, float* mean, float count, int width);

// One more id: the mean weight of the n-grams of a text after it, the count-th.
// `id` points to it; the REMEMBERED ids before it are readable, 0 before the text.
void add_ngrams(const Model* model, const int32_t* id, float* mean, float count);

// The probabilities (labels) of a text from its pool, of which each part is (width).
void decide(const Model* model, const float* maximum, const float* mean, const float* h,
            const float* ngrams, float count, float* probabilities);

// ---- cells.c: the recurrent layers

// One layer of the texts that are read together. `q` is h as the products read it, before a step
// and after it; the rows of a tensor are the places of texts.
typedef struct {
  void* q[2];    // (places, width) of the precision
  float *h, *c;  // (places, width)
  float* gates;  // (places, cell - 1): a step adds the openings of all units; null to leave it
} LayerState;

// Read one id of each place.
void step_layers(const Model* model, const LayerState* state, const int32_t* const* ids, int places,
                 int parity);

// Set q of a place from its h, which is clamped to [-1, 1] first, so that sums cannot overflow.
void set_state(const Model* model, const Layer* layer, const LayerState* state, int place,
               int parity);
