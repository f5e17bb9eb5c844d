/* The analyses by name: a line here, and a file in mpi/analyse/ that defines its row (mpi/analyse/analysis.h), add one.
 *
 * X(NAME, HELP): the word in `analyses: [NAME, ...]`, and what it tells. Results have their figures in this order. */
#ifndef VB_ANALYSES_LIST_H
#define VB_ANALYSES_LIST_H

#define VB_ANALYSES_LIST(X)                                                                                                      \
    X(margin, "how far the image's class lies before the best other one: mean, median, quantiles, histogram")                    \
    X(similarity, "of images with their own class and with the others: means, overlap, histograms")                              \
    X(alignment, "squared distance of images from their class, and the gap between the modalities")                              \
    X(uniformity, "how evenly texts, and images, spread over the sphere")                                                        \
    X(spectrum, "singular values and effective rank of images and texts")                                                        \
    X(order, "the worst and the best order of arrival, after every number of vocabularies")                                      \
    X(open_curve, "accuracy among every number of foreign names, exactly, over all sets of them")                                \
    X(open_set, "how surely scores tell images whose class is among the names from those whose class is absent")                 \
    X(calibration, "whether confidence is accuracy: within the own vocabulary, among all classes, and with foreign names")       \
    X(prompt_spread, "the figures with each prompt template alone, and with WordNet's other names of the classes")               \
    X(top5, "accuracy at 5 among all classes, and the mean over classes of their recall")                                        \
    X(hierarchy, "how far errors and thefts go in WordNet, and accuracy with hypernyms forgiven")

#endif
