import Foundation

extension Recipe {
    /// Files that a run of this recipe reads: samples, labels, teachers, embeddings. Outputs must be
    /// none of them.
    public var inputFiles: [String] {
        var files = [
            data.images, data.labels, data.testImages, data.testLabels, data.path, data.testPath,
        ].compactMap(\.self)
        if let folder = data.folder {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            files += names.map { "\(folder)/\($0)" }
        }
        if let path = noise.path { files.append(path) }
        files += method.base.files
        return files
    }
}
