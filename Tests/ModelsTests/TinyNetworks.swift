import Models
import Neural
import TestSupport
import Torch

/// The tiny networks of the fixture script (`CASES` there): every family and every branch of it.
struct TinyNetwork: Sendable, CustomStringConvertible {
    let name: String
    let shape: [Int]
    /// Batch norms that stand right behind a convolution.
    let foldable: Int
    let make: @Sendable (Generator) -> any Classifier
    var description: String { name }

    /// The inputs of the fixtures: values, or for text networks the code points of `texts`.
    var input: Tensor {
        guard shape.count == 3 else { return values(inputStream, shape) }
        return codePoints(TinyNetwork.texts, length: shape[2])
    }

    /// `TEXTS` of the fixture script.
    static let texts = [
        String(
            repeating:
                "Don't PANIC! It's only 42 \u{c4}pfel and 3-4 emoji \u{1f600}... snake_case (really?)\n",
            count: 2),
        "",
        String(
            repeating:
                "good good movie, good good plot & <b>great</b> cast \u{41f}\u{440}\u{438}\u{432}\u{435}\u{442} ~`|\\ [x]{y}",
            count: 4),
    ]

    private static let stages: [MobileNetV2.Stage] = [
        .init(expansion: 1, width: 8, count: 1, stride: 1),
        .init(expansion: 6, width: 8, count: 1, stride: 2),
        .init(expansion: 3, width: 8, count: 2, stride: 2),
        .init(expansion: 2, width: 16, count: 1, stride: 1),
    ]

    private static func mobile(
        _ name: String, _ shape: [Int], width: Double = 1
    ) -> TinyNetwork {
        TinyNetwork(name: name, shape: shape, foldable: 16) {
            MobileNetV2(
                .init(
                    channels: shape[1], classes: 4, side: shape[2], width: width, dropout: 0,
                    stages: stages, lastWidth: 16),
                generator: $0)
        }
    }

    static let all: [TinyNetwork] = [
        TinyNetwork(name: "mlp", shape: [6, 12], foldable: 0) {
            MLP(.init(inputs: 12, hidden: [7, 5], classes: 3), generator: $0)
        },
        TinyNetwork(name: "lenet5-28", shape: [3, 1, 28, 28], foldable: 0) {
            LeNet5(.init(channels: 1, height: 28, width: 28, classes: 4), generator: $0)
        },
        TinyNetwork(name: "lenet5-40x16", shape: [3, 2, 40, 16], foldable: 0) {
            LeNet5(.init(channels: 2, height: 40, width: 16, classes: 4), generator: $0)
        },
        TinyNetwork(name: "cifarresnet", shape: [3, 3, 8, 8], foldable: 9) {
            CIFARResNet(
                .init(channels: 3, classes: 4, blocks: 1, widths: [4, 4, 8, 12]), generator: $0)
        },
        TinyNetwork(name: "cifarresnet-x4", shape: [3, 1, 9, 7], foldable: 16) {
            CIFARResNet(
                .init(channels: 1, classes: 4, blocks: 2, widths: [4, 6, 8, 12]), generator: $0)
        },
        TinyNetwork(name: "resnet", shape: [3, 3, 16, 16], foldable: 14) {
            ResNet(
                .init(channels: 3, classes: 4, blocks: [2, 1, 1, 1], widths: [4, 6, 8, 10]),
                generator: $0)
        },
        TinyNetwork(name: "wideresnet", shape: [3, 3, 8, 8], foldable: 6) {
            WideResNet(
                .init(channels: 3, classes: 4, blocks: 2, widths: [4, 8, 12, 16]), generator: $0)
        },
        TinyNetwork(name: "wideresnet-1", shape: [3, 1, 9, 6], foldable: 3) {
            WideResNet(
                .init(channels: 1, classes: 4, blocks: 1, widths: [4, 4, 6, 8]), generator: $0)
        },
        TinyNetwork(name: "vgg-32", shape: [3, 3, 16, 16], foldable: 6) {
            VGG(
                .init(channels: 3, classes: 4, blocks: [[4], [4, 6], [6], [8], [10]]), generator: $0
            )
        },
        TinyNetwork(name: "vgg-64", shape: [2, 1, 64, 64], foldable: 5) {
            VGG(.init(channels: 1, classes: 4, blocks: [[4], [4], [6], [8], [10]]), generator: $0)
        },
        mobile("mobilenetv2-8", [3, 3, 8, 8]),
        mobile("mobilenetv2-64", [2, 1, 64, 64]),
        mobile("mobilenetv2-128", [1, 1, 128, 128], width: 0.5),
        TinyNetwork(name: "googlenet", shape: [4, 3, 33, 24], foldable: 66) {
            let pair: [Inception.Widths] = [.init(2, 2, 3, 1, 2, 2), .init(3, 2, 3, 1, 1, 2)]
            let blocks = pair + pair + pair + pair + [.init(4, 3, 4, 2, 3, 2)]
            return GoogLeNet(
                .init(channels: 3, classes: 4, stem: [4, 4, 6], blocks: blocks, dropout: 0),
                generator: $0)
        },
        TinyNetwork(name: "vgg-bn-32", shape: [3, 3, 32, 32], foldable: 6) {
            VGGBatchNorm(
                .init(
                    channels: 3, classes: 4, blocks: [[4], [4, 6], [6], [8], [8]], hidden: 12,
                    dropout: 0),
                generator: $0)
        },
        TinyNetwork(name: "vgg-bn-12", shape: [4, 1, 12, 14], foldable: 5) {
            VGGBatchNorm(
                .init(
                    channels: 1, classes: 4, blocks: [[4], [4], [6], [8], [8]], hidden: 12,
                    dropout: 0),
                generator: $0)
        },
        TinyNetwork(name: "digitcnn", shape: [3, 2, 17, 12], foldable: 0) {
            DigitCNN(
                .init(
                    channels: 2, height: 17, width: 12, classes: 4, widths: [4, 6, 8], hidden: 7),
                generator: $0)
        },
        TinyNetwork(name: "fasttext", shape: [3, 1, 160], foldable: 0) {
            FastText(.init(classes: 4, buckets: 50, width: 6, hidden: 5), generator: $0)
        },
        TinyNetwork(name: "charcnn", shape: [3, 1, 160], foldable: 0) {
            CharCNN(.init(classes: 4, length: 150, width: 8, dropout: 0), generator: $0)
        },
    ]
}

/// Code points [N, 1, length] of texts, padded with 0.
func codePoints(_ texts: [String], length: Int) -> Tensor {
    let codes = texts.flatMap { text in
        let codes = text.unicodeScalars.prefix(length).map { Float($0.value) }
        return codes + [Float](repeating: 0, count: length - codes.count)
    }
    return Tensor(codes, [texts.count, 1, length])
}
