import Models
import Neural
import Torch

/// The tiny networks of the fixture script (`CASES` there): every family and every branch of it.
struct TinyNetwork: Sendable, CustomStringConvertible {
    let name: String
    let shape: [Int]
    /// Batch norms that stand right behind a convolution.
    let foldable: Int
    let make: @Sendable (Generator) -> any Classifier
    var description: String { name }

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
    ]
}
