# What the libraries call back from threads of their own, where a script block has no runspace: methods of classes have.
class SeenImport : IProgress[Appc.Images.ImportProgress] { $Last; [void] Report([Appc.Images.ImportProgress] $progress) { $this.Last = $progress } }
class SeenVerification : IProgress[Appc.Images.ImageVerifyProgress] { $Last; [void] Report([Appc.Images.ImageVerifyProgress] $progress) { $this.Last = $progress } }
class SeenFetch : IProgress[Appc.Fetching.FetchProgress] { $Last; [void] Report([Appc.Fetching.FetchProgress] $progress) { $this.Last = $progress } }
class Bytes { [byte[]] $Content; [IO.Stream] Open() { return [IO.MemoryStream]::new($this.Content) } }
class Users { [string] $User; [string] Find([Appc.Manifests.ImageId] $id) { return $this.User } }
