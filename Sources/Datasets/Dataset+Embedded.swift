import Diagnostics
import Files
import Foundation

extension Dataset {
    /// The parts of the embedded data.
    public enum Embedded: String, Sendable, CaseIterable {
        /// 4,000 images, 400 of each class.
        case train
        /// 1,000 images, 100 of each class.
        case test

        var prefix: String { self == .train ? "train" : "t10k" }

        /// SHA-256 of the part's content, see ``Dataset/sha256``.
        var sha256: String {
            switch self {
            case .train: "af3f184328621b100d21bcbabe3a215f8dfa108bed1ac4e8d1c4aaea84010cef"
            case .test: "aecd4f349c5f79561a674b680719695fd86502c25d154832eff38ce7e49a834d"
            }
        }
    }

    /// A balanced subset of Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, arXiv 1708.07747; MIT
    /// licence, copyright 2017 Zalando SE), 28 × 28 grey, 10 classes, part of the package. No image
    /// occurs twice, within a part or across.
    public static func embedded(_ part: Embedded) throws(Problem) -> Dataset {
        let folder = try embeddedFolder()
        let data = try IDX.read(
            images: "\(folder)/\(part.prefix)-images-idx3-ubyte",
            labels: "\(folder)/\(part.prefix)-labels-idx1-ubyte",
            name: part == .train ? "Fashion-MNIST 5k" : "Fashion-MNIST 5k, test",
            classNames: fashionNames)
        guard data.sha256 == part.sha256 else { throw .embeddedChanged(folder) }
        return data
    }

    public static let fashionNames = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
        "Ankle boot",
    ]

    /// Where the embedded files are: in the resource bundle beside the program, where the build
    /// puts it; for a program that was copied elsewhere, in the sources it was built from.
    /// `Bundle.module` looks in the same places but traps when there is nothing.
    public static func embeddedFolder() throws(Problem) -> String {
        let sources = (#filePath as NSString).deletingLastPathComponent + "/Resources"
        let program = Bundle.main
        var homes = [
            program.bundleURL, program.resourceURL,
            program.executableURL?
                .resolvingSymlinksInPath().deletingLastPathComponent(),
        ].compactMap { $0?.path }
        homes =
            homes.flatMap { home in
                [
                    "\(home)/limbeck_Datasets.resources",
                    "\(home)/limbeck_Datasets.bundle",
                    "\(home)/limbeck_Datasets.bundle/Contents/Resources",
                ]
            } + [sources]
        for home in homes {
            let folder = home + "/fashion-mnist-5k"
            if FileManager.default.fileExists(atPath: folder) { return folder }
        }
        throw .embeddedMissing(program.bundleURL.path)
    }
}
