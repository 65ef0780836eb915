import Datasets
import Diagnostics
import Files
import SafeTensors

extension ProbabilityTable {
    /// The table of a file, by what its first bytes say it is:
    ///
    /// - an array of numpy (.npy) of float32 or float64 [rows × classes] in C order, mapped;
    /// - a safetensors file, mapped: the F32 or F64 tensor called `tensor`, or the only one with two
    ///   dimensions;
    /// - text (CSV): a line per sample, a column per class, with or without a header, read as a whole.
    ///
    /// Values are not looked at: ``ConfidentLearning`` checks them as it reads them.
    ///
    /// - Throws: `Problem`: `.io` where the file cannot be read, `.data` where it is something else.
    public init(path: String, tensor: String? = nil) throws(Problem) {
        let file = try MappedFile(path)
        let head = Array(file.bytes.prefix(1 << 13))
        switch FileKind(head) {
        case .npy: self = try Self.npy(file)
        case .safeTensors: self = try Self.safeTensors(file, tensor)
        case .text: self = try Self.text(path)
        case let kind: throw .notProbabilities(path, kind)
        }
    }

    private static func npy(_ file: MappedFile) throws(Problem) -> ProbabilityTable {
        let header = try NPYHeader(file.bytes, file: file.path)
        let isDouble = header.type == "<f8"
        guard isDouble || header.type == "<f4" else { throw .npyType(file.path, header.type) }
        guard !header.isFortranOrder || header.shape.contains(where: { $0 <= 1 }) else {
            throw .npyOrder(file.path)
        }
        return try mapped(file, header.offset, header.shape, isDouble, place: [])
    }

    private static func safeTensors(
        _ file: MappedFile, _ name: String?
    ) throws(Problem) -> ProbabilityTable {
        let layout = try SafeTensorsLayout(file.bytes, name: file.path)
        let entry: SafeTensorsFile.Entry
        if let name {
            guard let found = layout.tensors.first(where: { $0.name == name }) else {
                throw .noTensor(file.path, name, among: layout.tensors.map(\.name))
            }
            entry = found
        } else {
            let flat = layout.tensors.filter {
                $0.shape.count == 2 && ($0.dtype == .f32 || $0.dtype == .f64)
            }
            guard flat.count == 1 else { throw .whichTensor(file.path, flat.map(\.name)) }
            entry = flat[0]
        }
        guard entry.dtype == .f32 || entry.dtype == .f64 else {
            throw .tensorType(file.path, entry.name, entry.dtype.rawValue)
        }
        return try mapped(
            file, entry.range.lowerBound, entry.shape, entry.dtype == .f64,
            place: ["tensor \"\(entry.name)\""])
    }

    private static func mapped(
        _ file: MappedFile, _ offset: Int, _ shape: [Int], _ isDouble: Bool, place: [String]
    ) throws(Problem) -> ProbabilityTable {
        guard shape.count == 2, shape[0] > 0, shape[1] > 0 else {
            throw .tableShape(file.path, place, shape)
        }
        let (count, overflow) = shape[0].multipliedReportingOverflow(by: shape[1])
        let size = isDouble ? 8 : 4
        let found = file.bytes.count - offset
        guard !overflow, count <= Int.max / 8, found >= count * size else {
            throw .tableCutOff(file.path, shape, found: found)
        }
        return ProbabilityTable(
            .mapped(file, offset: offset, isDouble: isDouble), rows: shape[0], classes: shape[1],
            name: file.path)
    }

    private static func text(_ path: String) throws(Problem) -> ProbabilityTable {
        let table = try NumberTable(path: path)
        return ProbabilityTable(
            .doubles(table.values), rows: table.rows, classes: table.columns, name: path,
            classNames: table.names)
    }
}
