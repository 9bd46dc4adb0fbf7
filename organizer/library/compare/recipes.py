"""Published experiments as recipes: what was done, what it gave, and what differs here."""

from __future__ import annotations

from collections.abc import Sequence

from organizer.errors import SettingsError
from organizer.library.compare.grid import CLASSES, ComparisonGrid, ComparisonPlan, FeatureSpec
from organizer.library.compare.recipe import PublishedFigure, PublishedRate, Recipe
from organizer.types import PartSpec

_NONE = PartSpec("none")
_PCA = PartSpec("pca", {"n_components": 64})


def _lines(text: str) -> tuple[str, ...]:
    """The items of a list, each on one line."""
    items = " ".join(text.split()).removeprefix("- ").split(" - ")
    return tuple(items)


def _kept(*names: str, reducer: PartSpec = _NONE) -> tuple[FeatureSpec, ...]:
    return tuple(FeatureSpec(name, reducer, "kept") for name in names)


_VGG16_KMEANS = Recipe(
    name="vgg16-kmeans",
    authors="F. Kolijn, B. Gorchinsky, T. Alves, H. Moore",
    year="",
    title="Unsupervised Image Clustering Using K-Means and Transfer Learning",
    about=_lines("""
        - some 1,500 photos of tigers, lions, foxes, hyenas and cheetahs, 224 x 224
        - VGG16 with ImageNet weights as far as fc2 (4,096 values), scikit-learn's
          K-means
        - the elbow of the inertia over k = 1 to 14, which was 5
        - silhouette of each cluster; accuracy of a cluster: the share of its most
          frequent animal; pies of what clusters are made of; ten samples of each
    """),
    plan=ComparisonPlan(
        (ComparisonGrid(_kept("vgg16"), ("kmeans",), tuple(range(1, 15))),), repeats=3
    ),
    differs=_lines("""
        - unlike elsewhere in organizer vectors keep their length and are not reduced,
          as in the source
        - pictures are resized at their shorter side and cropped to 224 x 224; the
          source stretches them
        - K-means has ten starts, the source scikit-learn's default; the elbow is found
          by a rule, the source looks
        - the source says in one place that the network ends after fc1; its table and
          its equation say fc2
    """),
    published=(
        PublishedFigure("silhouette", 0.13, "vgg16", "kmeans", 5, "1,460 photos"),
        PublishedFigure("purity", 1401 / 1460, "vgg16", "kmeans", 5, "1,460 photos"),
    ),
    other_findings=_lines("""
        - published clusters: 329 images 99.39% cheetah, 305 images 94.10% hyena, 285
          images 96.84% lion, 267 images 91.39% fox, 274 images 97.45% tiger; mean
          95.83%
        - the published purity is computed from these counts: 1,401 of 1,460 images
    """),
    elbow=True,
    clusters=(5,),
)

_RAW_KS = (2, 16, 64, 100, 256)
_RAW_VS_RESNET50 = Recipe(
    name="raw-vs-resnet50",
    authors="S. Rastogi",
    year="2021",
    title="K-Means Clustering and Transfer Learning for Image Classification",
    about=_lines("""
        - 500 cats and 500 dogs, 32 x 32 pixels from 0 to 1 (3,072 values),
          scikit-learn's K-means
        - against ResNet50's pooled values (2,048) of the same 32 x 32 pictures
        - accuracy where each cluster is called by its most frequent animal (purity)
    """),
    plan=ComparisonPlan(
        (ComparisonGrid(_kept("raw", "resnet50"), ("kmeans",), _RAW_KS),), repeats=3
    ),
    differs=_lines("""
        - unlike elsewhere in organizer vectors keep their length and are not reduced,
          as in the source
        - ResNet50 is given 224 x 224 pictures, for which it was trained, the source
          gives it 32 x 32; torchvision's second set of weights, the source has Keras'
        - purity grows with the number of clusters whatever they are: with a cluster an
          image it is 1. ARI and AMI, which do not, stand beside it
    """),
    published=tuple(
        PublishedFigure("purity", value, "raw", "kmeans", k, "1,000 photos")
        for k, value in zip(_RAW_KS, (0.523, 0.588, 0.612, 0.638, 0.719), strict=True)
    ),
    other_findings=_lines("""
        - of ResNet50 no figure is published, only that its accuracy "was higher"
    """),
)

_NETWORKS = ("vgg16@conv", "vgg19@conv", "inception_v3", "resnet50")
_CNN_ARCHITECTURES = Recipe(
    name="cnn-architectures",
    authors="S. Priyadharshini, D. R. Saranya",
    year="",
    title="Unsupervised Image Clustering Using Different CNN Architecture",
    about=_lines("""
        - VGG16, VGG19, InceptionV3 and ResNet50 with ImageNet weights, the values of
          the last convolution in a row
        - K-means, agglomerative clustering, DBSCAN and Gaussian mixture are introduced;
          k = 2 to 10; silhouette and adjusted Rand index
    """),
    plan=ComparisonPlan(
        (
            ComparisonGrid(_kept(*_NETWORKS), ("kmeans", "ward", "dbscan"), tuple(range(2, 11))),
            ComparisonGrid(_kept(*_NETWORKS, reducer=_PCA), ("gmm",), tuple(range(2, 11))),
        ),
        repeats=3,
    ),
    differs=_lines("""
        - unlike elsewhere in organizer vectors keep their length and are not reduced,
          as in the source
        - of InceptionV3 and ResNet50 the pooled values are taken (2,048), not all
          (131,072 and 100,352)
        - the mixture is fitted in 64 principal components: a covariance of the 25,088
          values of VGG16 takes 5 GB
        - the radius of DBSCAN is the knee of the distances; the source gives none, and
          says itself that the silhouette does not suit DBSCAN
    """),
    other_findings=_lines("""
        - the source's figures are in a chart, without numbers; the images are not named
    """),
)

_RESNET50_TSNE = Recipe(
    name="resnet50-tsne",
    authors="an article on Medium, without a name",
    year="",
    title="Image clustering using Transfer learning",
    about=_lines("""
        - 60 photos of cats and dogs, 224 x 224, ResNet50's pooled values (2,048),
          scikit-learn's K-means with k = 2, the number of classes
        - a t-SNE map of the vectors with small photos on it
        - histograms of hue, saturation and value are named as another feature; the
          source does not run them
    """),
    plan=ComparisonPlan(
        (ComparisonGrid(_kept("resnet50", "hsv"), ("kmeans",), CLASSES),), repeats=3
    ),
    differs=_lines("""
        - unlike elsewhere in organizer vectors keep their length and are not reduced,
          as in the source
        - pictures are resized at their shorter side and cropped; the source stretches
          them, and gives the network blue for red as OpenCV reads them
        - HSV histograms have 16 x 4 x 4 bins, as square roots
    """),
    published=(PublishedFigure("acc", 58 / 60, "resnet50", "kmeans", 2, "60 photos"),),
    other_findings=_lines("""
        - published: two of 60 images in the wrong cluster
    """),
    map_method="tsne",
)


_INDICES = ("jaccard", "fmi", "nmi", "ari", "acc")


def _table(
    on: str, k: int, rows: Sequence[tuple[str, str, str, Sequence[float]]]
) -> list[PublishedFigure]:
    return [
        PublishedFigure(score, value, embedder, algorithm, k, on, space)
        for embedder, space, algorithm, values in rows
        for score, value in zip((*_INDICES, "davies_bouldin_ratio"), values, strict=False)
    ]


def _rates(
    on: str,
    k: int,
    values: Sequence[float],
    *,
    with_raw: bool = False,
    algorithm: str = "kmeans",
) -> list[PublishedRate]:
    return [
        PublishedRate(score, value, k, on, with_raw, algorithm)
        for score, value in zip(_INDICES, values, strict=True)
    ]


_FEATURE_WEAK_RELEVANT = Recipe(
    name="feature-weak-relevant",
    authors="B. Dong, X. Wang",
    year="2018",
    title="A Transfer Learning based Feature-Weak-Relevant Method for Image Clustering",
    about=_lines("""
        - raw pixels, Gabor features, HOG, and raw pixels in principal components;
          K-means and Gaussian mixture with as many clusters as classes
        - then, of each cluster, the images nearest to its centre fine-tune a network,
          which labels the others and gives the features of the next round (fwr after
          K-means, fwr-gmm after a mixture)
        - JC, FMI, NMI, ARI, ACC, and the Davies-Bouldin index of the trained features
          over that of the first clusters
        - index difference rate: the standard deviation of an index across the features
          over its mean
    """),
    plan=ComparisonPlan(
        (
            ComparisonGrid(_kept("raw", "gabor", "hog"), ("kmeans", "gmm"), CLASSES),
            ComparisonGrid(_kept("raw", reducer=_PCA), ("kmeans", "gmm"), CLASSES),
            ComparisonGrid(_kept("raw", "gabor"), ("fwr",), CLASSES),
            ComparisonGrid(_kept("raw", reducer=_PCA), ("fwr",), CLASSES),
            ComparisonGrid(_kept("hog"), ("fwr", "fwr-gmm"), CLASSES),
        ),
        repeats=3,
    ),
    needs={
        "fwr": "organizer-deep-clustering",
        "fwr-gmm": "organizer-deep-clustering",
    },
    differs=_lines("""
        - distances are Euclidean; raw pixels keep their length, HOG and Gabor features
          have length one by themselves
        - raw pixels are 32 x 32, principal components 64: the source gives neither
          number
        - the components of the mixture share one covariance
        - the network is EfficientNet-Lite2 on 96 x 96 pixels, of which the last layers
          are trained; the source trains AlexNet (--set network=alexnet of recluster)
        - published are six classes (Caltech Categories), 20 of Caltech-101 drawn three
          times, and MNIST: the figures for as many classes as here stand beside ours,
          of other images
        - the published rates leave raw pixels out (except on MNIST) and are of K-means,
          and of what follows after it, alone
    """),
    published=(
        *_table("Caltech Categories", 6, (
            ("gabor", "none", "kmeans", (0.39, 0.56, 0.52, 0.44, 0.62)),
            ("hog", "none", "kmeans", (0.40, 0.58, 0.59, 0.48, 0.63)),
            ("raw", "pca:64", "kmeans", (0.19, 0.32, 0.24, 0.15, 0.43)),
            ("hog", "none", "gmm", (0.34, 0.50, 0.31, 0.37, 0.50)),
            ("gabor", "none", "fwr", (0.65, 0.79, 0.80, 0.73, 0.71, 0.77)),
            ("hog", "none", "fwr", (0.61, 0.75, 0.79, 0.69, 0.75, 0.72)),
            ("raw", "pca:64", "fwr", (0.52, 0.68, 0.71, 0.61, 0.69, 0.89)),
            ("hog", "none", "fwr-gmm", (0.64, 0.78, 0.80, 0.72, 0.70, 0.39)),
        )),
        *_table("Caltech-101, 20 classes", 20, (
            ("gabor", "none", "kmeans", (0.09, 0.17, 0.22, 0.08, 0.26)),
            ("hog", "none", "kmeans", (0.17, 0.30, 0.43, 0.24, 0.42)),
            ("raw", "pca:64", "kmeans", (0.10, 0.18, 0.29, 0.12, 0.29)),
            ("hog", "none", "gmm", (0.10, 0.19, 0.15, 0.10, 0.26)),
            ("gabor", "none", "fwr", (0.22, 0.38, 0.47, 0.26, 0.45, 1.87)),
            ("hog", "none", "fwr", (0.32, 0.50, 0.69, 0.45, 0.60, 1.09)),
            ("raw", "pca:64", "fwr", (0.29, 0.44, 0.61, 0.40, 0.56, 1.35)),
            ("hog", "none", "fwr-gmm", (0.16, 0.35, 0.31, 0.14, 0.37, 0.77)),
        )),
        *_table("MNIST", 10, (
            ("raw", "none", "kmeans", (0.29, 0.45, 0.52, 0.39, 0.55)),
            ("gabor", "none", "kmeans", (0.32, 0.48, 0.55, 0.42, 0.58)),
            ("hog", "none", "kmeans", (0.19, 0.32, 0.36, 0.25, 0.46)),
            ("raw", "pca:64", "kmeans", (0.29, 0.45, 0.51, 0.39, 0.57)),
            ("hog", "none", "gmm", (0.14, 0.26, 0.19, 0.14, 0.35)),
            ("raw", "none", "fwr", (0.39, 0.56, 0.62, 0.50, 0.65, 0.75)),
            ("gabor", "none", "fwr", (0.39, 0.56, 0.64, 0.51, 0.65, 0.84)),
            ("hog", "none", "fwr", (0.34, 0.51, 0.59, 0.45, 0.59, 0.71)),
            ("raw", "pca:64", "fwr", (0.39, 0.55, 0.63, 0.50, 0.64, 0.84)),
            ("hog", "none", "fwr-gmm", (0.19, 0.36, 0.26, 0.23, 0.52, 0.74)),
        )),
    ),
    rates=(
        *_rates("Caltech Categories", 6, (0.36, 0.30, 0.41, 0.50, 0.20)),
        *_rates("Caltech-101, 20 classes", 20, (0.36, 0.33, 0.34, 0.57, 0.26)),
        *_rates("MNIST", 10, (0.20, 0.17, 0.17, 0.21, 0.11), with_raw=True),
        *_rates("Caltech Categories", 6, (0.11, 0.08, 0.06, 0.09, 0.04), algorithm="fwr"),
        *_rates("Caltech-101, 20 classes", 20, (0.35, 0.14, 0.19, 0.27, 0.14), algorithm="fwr"),
        *_rates("MNIST", 10, (0.06, 0.05, 0.04, 0.06, 0.05), with_raw=True, algorithm="fwr"),
    ),
)  # fmt: skip

RECIPES: tuple[Recipe, ...] = (
    _VGG16_KMEANS,
    _RAW_VS_RESNET50,
    _CNN_ARCHITECTURES,
    _RESNET50_TSNE,
    _FEATURE_WEAK_RELEVANT,
)


def find_recipe(name: str) -> Recipe:
    """Find a recipe by its name.

    Raises:
        SettingsError: There is none.
    """
    for recipe in RECIPES:
        if recipe.name == name:
            return recipe
    raise SettingsError(
        f"there is no recipe {name!r}", f"there are: {', '.join(r.name for r in RECIPES)}"
    )
