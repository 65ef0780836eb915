import Diagnostics
import Files
import Foundation

/// Reader of the binary versions of CIFAR-10 and CIFAR-100 (Krizhevsky 2009).
///
/// A file is a row of records without a header: one label byte (CIFAR-10) or two, coarse and fine
/// (CIFAR-100), then 3,072 bytes: 32 × 32 pixels of red, then green, then blue.
public enum CIFAR: Sendable {
    case ten, hundred

    /// Which of the published files to read from a folder.
    public enum Part: String, Sendable { case train, test }

    static let pixels = 3 * 32 * 32
    var labelBytes: Int { self == .ten ? 1 : 2 }
    var recordBytes: Int { CIFAR.pixels + labelBytes }
    var classCount: Int { self == .ten ? 10 : 100 }
    static let coarseCount = 20

    /// Reads `data_batch_1.bin` … or `test_batch.bin` (CIFAR-10), `train.bin` or `test.bin`
    /// (CIFAR-100) from `folder`.
    public func read(folder: String, part: Part) throws(Problem) -> Dataset {
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw .cannot("read the folder", folder, ENOENT)
        }
        let wanted: [String]
        switch (self, part) {
        case (.ten, .train):
            wanted = entries.filter { $0.hasPrefix("data_batch_") && $0.hasSuffix(".bin") }
                .sorted { ($0.count, $0) < ($1.count, $1) }  // batch 10 after batch 9
        case (.ten, .test): wanted = entries.filter { $0 == "test_batch.bin" }
        case (.hundred, _): wanted = entries.filter { $0 == "\(part.rawValue).bin" }
        }
        guard !wanted.isEmpty else {
            let name =
                self == .hundred
                ? "\(part.rawValue).bin"
                : part == .train ? "data_batch_1.bin" : "test_batch.bin"
            throw .cifarFolder(folder, expected: name)
        }
        return try read(
            files: wanted.map { (folder as NSString).appendingPathComponent($0) }, name: folder)
    }

    /// Reads the records of `files`, in order.
    public func read(files: [String], name: String? = nil) throws(Problem) -> Dataset {
        var content: [(file: String, bytes: [UInt8])] = []
        for file in files { content.append((file, try readFile(file))) }
        return try dataset(content, name: name ?? files.first ?? "CIFAR")
    }

    /// The same from bytes in memory; the file names serve the error messages.
    public func dataset(
        _ content: [(file: String, bytes: [UInt8])], name: String
    ) throws(Problem) -> Dataset {
        var pixels: [UInt8] = []
        var labels: [Int] = []
        var coarse: [Int] = []
        pixels.reserveCapacity(
            content.reduce(0) { $0 + $1.bytes.count / recordBytes * CIFAR.pixels })
        for (file, bytes) in content {
            guard !bytes.isEmpty, bytes.count % recordBytes == 0 else {
                let other: CIFAR = self == .ten ? .hundred : .ten
                throw .cifarSize(
                    file, found: bytes.count, record: recordBytes,
                    looksLike: !bytes.isEmpty && bytes.count % other.recordBytes == 0
                        ? other.title : nil)
            }
            for start in stride(from: 0, to: bytes.count, by: recordBytes) {
                let label = Int(bytes[start + labelBytes - 1])
                guard label < classCount else {
                    throw .cifarLabel(
                        file, at: start + labelBytes - 1, sample: start / recordBytes, "label",
                        label, classCount: classCount)
                }
                labels.append(label)
                if self == .hundred {
                    let group = Int(bytes[start])
                    guard group < CIFAR.coarseCount else {
                        throw .cifarLabel(
                            file, at: start, sample: start / recordBytes, "coarse label", group,
                            classCount: CIFAR.coarseCount)
                    }
                    coarse.append(group)
                }
                pixels += bytes[start + labelBytes..<start + recordBytes]
            }
        }
        return try Dataset(
            name: name, features: .images(bytes: pixels, channels: 3, height: 32, width: 32),
            labels: labels, coarse: self == .hundred ? coarse : nil,
            classNames: self == .ten ? CIFAR.tenNames : CIFAR.hundredNames)
    }

    var title: String { self == .ten ? "CIFAR-10" : "CIFAR-100" }

    static let tenNames = [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]

    /// In the order of their numbers, which is alphabetical.
    static let hundredNames = """
        apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus \
        butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch \
        crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house \
        kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle \
        mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree \
        plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark \
        shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table \
        tank telephone television tiger tractor train trout tulip turtle wardrobe whale \
        willow_tree wolf woman worm
        """.split(separator: " ").map(String.init)
}
