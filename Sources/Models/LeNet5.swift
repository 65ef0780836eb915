import Neural
import Torch

/// LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998) in the form everyone uses now: ReLU, max-pooling,
/// no Gaussian connections.
///
///     conv1 5×5 (6) – ReLU – pool 2 – conv2 5×5 (16) – ReLU – pool 2 – fc1 (120) – fc2 (84) – fc3
///
/// Sides below 32 pixels are padded by 2 in `conv1`, so that 28 becomes the 32 of the paper. Maps
/// that end up larger than 5×5 are averaged down to 5×5, smaller ones stay as they are and make
/// `fc1` smaller. PyTorch's default initialisation.
public final class LeNet5: Classifier {
    public struct Configuration: Sendable, Equatable {
        public var channels: Int
        /// At least `LeNet5.minimumSide` each.
        public var height: Int
        public var width: Int
        public var classes: Int

        public init(channels: Int = 1, height: Int = 28, width: Int = 28, classes: Int = 10) {
            self.channels = channels
            self.height = height
            self.width = width
            self.classes = classes
        }

        /// Side of the maps that enter `fc1`, for an image side.
        static func mapSide(_ side: Int) -> Int {
            let first = (side + 2 * padding(side) - 4) / 2
            return min(5, (first - 4) / 2)
        }

        static func padding(_ side: Int) -> Int { side < 32 ? 2 : 0 }
    }

    public static let minimumSide = 12

    public let configuration: Configuration
    public let conv1: Conv2d
    public let conv2: Conv2d
    public let fc1: Linear
    public let fc2: Linear
    public let fc3: Linear
    let mapSize: (Int, Int)

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        let (height, width) = (configuration.height, configuration.width)
        precondition(min(height, width) >= LeNet5.minimumSide, "image too small for LeNet-5")
        mapSize = (Configuration.mapSide(height), Configuration.mapSide(width))
        conv1 = Conv2d(
            configuration.channels, 6, kernel: 5,
            padding: (Configuration.padding(height), Configuration.padding(width)),
            generator: generator)
        conv2 = Conv2d(6, 16, kernel: 5, generator: generator)
        fc1 = Linear(16 * mapSize.0 * mapSize.1, 120, generator: generator)
        fc2 = Linear(120, 84, generator: generator)
        fc3 = Linear(84, configuration.classes, generator: generator)
    }

    public var head: Linear { fc3 }

    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        let pool = MaxPool2d(2)
        var x = pool(conv1(x).relu())  // [N, 6, h, w]
        x = pool(conv2(x).relu())  // [N, 16, h, w]
        if x.shape[2] != mapSize.0 || x.shape[3] != mapSize.1 {
            x = adaptiveAvgPool2d(x, height: mapSize.0, width: mapSize.1)
        }
        x = fc1(x.flattened(from: 1)).relu()
        return fc2(x).relu()  // [N, 84]
    }

    public func fresh(generator: Generator) -> LeNet5 {
        LeNet5(configuration, generator: generator)
    }
}
