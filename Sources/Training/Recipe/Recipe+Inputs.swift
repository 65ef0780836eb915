import Datasets

extension Recipe {
    /// Files that a run of this recipe reads: samples, labels, teachers, embeddings. Outputs must be
    /// none of them.
    public var inputFiles: [String] {
        var files = data.source.files
        if let path = noise.path { files.append(path) }
        files += [labels, weights].compactMap { $0?.file }
        files += method.base.files + (relation?.teacher?.files ?? [])
        return files
    }
}
