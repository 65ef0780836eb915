extension DataOptions {
    /// Every kind of data that a recipe may name, in the order in which messages list them.
    public static let kinds: [any DataSource.Type] = [
        EmbeddedSource.self, IDXSource.self, CIFAR10Source.self, CIFAR100Source.self,
        TableSource.self, TextSource.self, FolderSource.self, SpiralSource.self,
        GaussianClassesSource.self,
        ColourShapesSource.self, NoSource.self,
    ]
}
